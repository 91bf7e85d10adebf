# SPDX-License-Identifier: Apache-2.0
"""Events of a real OpenStack: what changed between two looks, by a constant number of calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from rigs.openstack.api import Cloud
from rigs.openstack.faults import Faults, Rule

from hostler import Fleet
from hostler.events.stream import EventStream
from hostler.models.event import Event

HOST = "gpu-host-001"


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def stream(make_fleet: Callable[[str], Fleet]) -> Iterator[EventStream]:
    """A stream that has looked once."""
    with make_fleet("box-proxied").events(hosts=(), openstack=True, poll=0.5) as stream:
        first = until(stream, "cloud.status.changed")
        assert first.data == {
            "cloud": "box-proxied",
            "old_status": None,
            "new_status": "active",
            "reason": None,
        }
        yield stream


def until(stream: EventStream, kind: str) -> Event:
    """Read events up to one of a type."""
    told = []
    while event := stream.get(30):
        told.append(event)
        if event.type == kind:
            return event
    raise AssertionError(f"it was not told; only {told}")


@pytest.mark.usefixtures("changed")
def test_a_server_stops(stream: EventStream, cloud: Cloud) -> None:
    servers = cloud.get("nova", "/v2.1/servers/detail", all_tenants=1)["servers"]
    server = next(one for one in servers if one["status"] == "ACTIVE")
    cloud.post("nova", f"/v2.1/servers/{server['id']}/action", {"os-stop": None})
    event = until(stream, "vm.status.changed")
    assert (event.vm, event.source, event.missed) == (server["name"], "openstack", False)
    assert event.host == server["OS-EXT-SRV-ATTR:host"]
    assert event.data["vm_id"] == server["id"]
    assert (event.data["old_status"], event.data["new_status"]) == ("ACTIVE", "SHUTOFF")


@pytest.mark.usefixtures("changed")
def test_a_compute_takes_no_servers(stream: EventStream, cloud: Cloud) -> None:
    found = cloud.get("nova", "/v2.1/os-services", host=HOST, binary="nova-compute")["services"]
    path = f"/v2.1/os-services/{found[0]['id']}"
    cloud.put("nova", path, {"status": "disabled", "disabled_reason": "hot"})
    event = until(stream, "host.status.changed")
    assert event.host == HOST
    assert event.data == {
        "host_id": HOST,
        "old_status": "active",
        "new_status": "disabled",
        "reason": "hot",
    }


@pytest.mark.fault
@pytest.mark.usefixtures("changed")
def test_nova_is_away_for_a_while(stream: EventStream, faults: Faults, cloud: Cloud) -> None:
    """An answer that fails is no empty list: no server is told to be gone."""
    faults.set(Rule("nova", path="/servers/detail", action="answer", status=500, times=0))
    gone = until(stream, "cloud.status.changed")
    assert (gone.data["old_status"], gone.data["new_status"]) == ("active", "unreachable")
    found = cloud.get("nova", "/v2.1/os-services", host=HOST, binary="nova-compute")["services"]
    cloud.put("nova", f"/v2.1/os-services/{found[0]['id']}", {"status": "disabled"})
    faults.clear()
    missed = stream.get(30)
    assert missed
    assert (missed.type, missed.host, missed.missed) == ("host.status.changed", HOST, True)
    assert until(stream, "cloud.status.changed").data["new_status"] == "active"


def test_a_look_takes_two_calls(stream: EventStream, faults: Faults) -> None:
    faults.clear()
    assert stream.get(2.4) is None
    paths = [one.path.partition("?")[0].rpartition("/")[2] for one in faults.requests()]
    assert set(paths) == {"detail", "os-services"}
    assert abs(paths.count("detail") - paths.count("os-services")) <= 1
    assert len(paths) in range(4, 11)
