# SPDX-License-Identifier: Apache-2.0
"""Servers, networks and ports on a real cloud: made as wanted, unchanged, refused, looked at."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from rigs.openstack import processes
from rigs.openstack.api import Cloud
from rigs.openstack.faults import Faults, Rule
from rigs.openstack.porting import (
    NAME,
    NETWORK,
    OTHER,
    SERVER,
    TASK,
    Seen,
    cloud,
    done,
    id_of,
    impatient,
    seen,
    storage,
)

from hostler import Fleet
from hostler.config import FleetConfig, Policy
from hostler.errors import Conflict, Denied, HostlerError, NotFound

__all__ = ["cloud", "impatient", "seen", "storage"]


def test_attached_unchanged_detached(fleet: Fleet, cloud: Cloud, seen: Seen) -> None:
    checked = done(fleet.openstack.run_port(TASK, check=True))
    assert (checked.changed, checked.port, seen(), fleet.journal.list()) == (True, None, [], [])
    made = done(fleet.openstack.run_port(TASK))
    (port,) = seen()
    assert (made.changed, made.name, port["name"]) == (True, NAME, NAME)
    assert port["device_id"] == id_of(cloud, SERVER)
    assert made.port is not None
    assert (made.port.id, made.port.server_id) == (port["id"], port["device_id"])
    assert made.after == {**checked.after, "addresses": [port["fixed_ips"][0]["ip_address"]]}
    again = done(fleet.openstack.run_port(TASK))
    assert (again.changed, again.port, again.before) == (False, made.port, made.after)
    gone = {**TASK, "state": "absent"}
    assert done(fleet.openstack.run_port(gone, check=True)).changed
    assert seen() == [port]
    left = done(fleet.openstack.run_port(gone))
    assert (left.changed, left.port, seen()) == (True, None, [])
    assert not done(fleet.openstack.run_port(gone)).changed
    assert len(fleet.journal.list()) == 2


def test_a_port_without_server_is_attached_and_kept_on_undo(
    fleet: Fleet, cloud: Cloud, seen: Seen
) -> None:
    server = fleet.openstack.server(SERVER)
    network = fleet.openstack.network(NETWORK).id
    body = {"name": NAME, "network_id": network, "project_id": server.tenant_id}
    loose = cloud.post("neutron", "/v2.0/ports", {"port": body})["port"]
    plan = fleet.openstack.plan_port(TASK)
    assert plan.commands == [f"openstack server add port {server.id} {NAME}"]
    plan.apply()
    plan.undo()
    (port,) = seen()
    assert (port["id"], port["device_id"]) == (loose["id"], "")


def test_made_as_wanted_and_refused_otherwise(fleet: Fleet, cloud: Cloud, seen: Seen) -> None:
    wanted = {
        **TASK,
        "name": "mine",
        "fixed_ip": "10.150.0.20",
        "mac": "FA:16:3E:00:00:20",
        "security_groups": ["default"],
        "subnet": "storage-subnet",
    }
    made = done(fleet.openstack.run_port(wanted)).port
    (port,) = seen()
    assert made is not None
    assert (made.name, made.mac, made.addresses) == ("mine", "fa:16:3e:00:00:20", ("10.150.0.20",))
    group = cloud.get("neutron", f"/v2.0/security-groups/{port['security_groups'][0]}")
    assert group["security_group"]["project_id"] == port["project_id"] == made.project_id
    assert not done(fleet.openstack.run_port(wanted)).changed
    for differs, says in (
        ({"fixed_ip": "10.150.0.21"}, "its address is 10.150.0.20, not 10.150.0.21"),
        ({"mac": "fa:16:3e:00:00:21"}, "its MAC is fa:16:3e:00:00:20"),
        ({"security_groups": []}, "its security groups are others"),
    ):
        refused = fleet.openstack.run_port({**wanted, **differs})
        assert (refused.changed, refused.error_code) == (False, "conflict")
        assert says in (refused.error or "")
    taken = fleet.openstack.run_port({**TASK, "fixed_ip": "10.150.0.20"})
    assert (taken.changed, taken.error_code) == (False, "plan_failed")
    assert "10.150.0.20" in (taken.error or "")
    assert seen() == [port]


def test_no_security_groups(fleet: Fleet, seen: Seen) -> None:
    done(fleet.openstack.run_port({**TASK, "security_groups": []}))
    assert seen()[0]["security_groups"] == []


def test_anothers_port_is_left_alone(fleet: Fleet, seen: Seen) -> None:
    named = {**TASK, "name": "theirs"}
    done(fleet.openstack.run_port({**named, "server": OTHER}))
    for state in ("present", "absent"):
        result = fleet.openstack.run_port({**named, "state": state})
        assert (result.changed, result.error_code) == (False, "conflict")
        assert "has it." in (result.error or "")
    assert len(seen()) == 1


def test_a_port_that_moved_since_is_not_undone(fleet: Fleet, cloud: Cloud, seen: Seen) -> None:
    plan = fleet.openstack.plan_port(TASK)
    plan.apply()
    (port,) = seen()
    path = f"/v2.1/servers/{port['device_id']}/os-interface/{port['id']}"
    cloud.delete("nova", path)
    deadline = time.monotonic() + 20
    while seen()[0]["device_id"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    other = id_of(cloud, OTHER)
    body = {"interfaceAttachment": {"port_id": port["id"]}}
    cloud.post("nova", f"/v2.1/servers/{other}/os-interface", body)
    with pytest.raises(HostlerError, match=f"server {other} has it"):
        plan.undo()
    assert [one["device_id"] for one in seen()] == [other]


def test_servers(fleet: Fleet, cloud: Cloud) -> None:
    done(fleet.openstack.run_port(TASK))
    server = fleet.openstack.server(SERVER, ports=True)
    assert (server.id, server.status, server.host, server.tenant) == (
        *(id_of(cloud, SERVER), "ACTIVE", "gpu-host-001", "tenant-a"),
    )
    assert server.ports is not None
    assert sorted(port.name for port in server.ports) == ["", NAME]
    assert fleet.openstack.server(server.id).ports is None
    names = [one.name for one in fleet.openstack.servers(project="tenant-b", status="active")]
    assert names == ["b-batch-1", "b-infer-1", "b-infer-2"]
    assert [one.name for one in fleet.openstack.servers(host="gpu-host-001")] == [OTHER, SERVER]
    assert fleet.openstack.servers(name="A-train-2") == []
    assert fleet.openstack.servers(name="a-train-.") == []


def test_a_constant_number_of_calls(proxied_fleet: Fleet, faults: Faults) -> None:
    proxied_fleet.openstack.servers(ports=True)
    faults.clear()
    proxied_fleet.openstack.servers(ports=True)
    assert faults.counts() == {"nova": 1, "keystone": 1, "neutron": 1}


def test_networks(fleet: Fleet, reader_fleet: Fleet) -> None:
    network = fleet.openstack.network(NETWORK)
    assert (network.network_type, network.segmentation_id, network.shared) == ("vlan", 150, True)
    assert [subnet.cidr for subnet in network.subnets] == ["10.150.0.0/20"]
    assert fleet.openstack.networks("Storage-network") == []
    assert [one.id for one in fleet.openstack.networks(network.id)] == [network.id]
    assert reader_fleet.openstack.network(NETWORK).segmentation_id is None


def test_lists_are_read_to_their_end(fleet: Fleet, proxied_fleet: Fleet, faults: Faults) -> None:
    found = fleet.openstack_cloud().network.networks()
    cloud = proxied_fleet.openstack_cloud()
    faults.clear()
    pages = cloud.pages("network", "/networks", "networks", params={"limit": 1})
    assert sorted(page["id"] for page in pages) == sorted(one.id for one in found)
    asked = [one for one in faults.requests() if one.path.startswith("/v2.0/networks?")]
    assert len(asked) >= len(found) > 1


def test_ports_of_networks_are_counted_on_request(fleet: Fleet) -> None:
    (before,) = fleet.openstack.networks(NETWORK, ports=True)
    done(fleet.openstack.run_port(TASK))
    counts = {one.name: one.ports for one in fleet.openstack.networks(ports=True)}
    assert (before.ports, counts[NETWORK], counts["tenant-a-net"]) == (0, 1, 4)
    assert fleet.openstack.network(NETWORK).ports is None


def test_projects_that_can_not_be_read(proxied_fleet: Fleet, faults: Faults) -> None:
    tenant = proxied_fleet.openstack.server(SERVER).tenant_id
    faults.set(Rule("keystone", "GET", "/projects", action="answer", status=403, times=0))
    server = proxied_fleet.openstack.server(SERVER)
    assert (server.tenant, server.tenant_id) == (None, tenant)
    assert SERVER in [one.name for one in proxied_fleet.openstack.servers(project=tenant)]
    with pytest.raises(Denied):
        proxied_fleet.openstack.servers(project="tenant-a")


@pytest.mark.parametrize(
    ("task", "code", "says"),
    [
        ({"server": "A-Train-2"}, "not_found", "Did you mean 'a-train-2'?"),
        ({"network": "Storage-Network"}, "not_found", "Did you mean 'storage-network'?"),
        ({"subnet": "STORAGE-SUBNET"}, "not_found", "Did you mean 'storage-subnet'?"),
        ({"security_groups": ["Default"]}, "not_found", "(there: default)"),
        ({"server": "nobody"}, "not_found", "There are: a-render-1, a-train-1, a-train-2"),
    ],
)
def test_unknown_names(
    fleet: Fleet, seen: Seen, task: dict[str, Any], code: str, says: str
) -> None:
    result = fleet.openstack.run_port({**TASK, **task})
    assert (result.changed, result.error_code) == (False, code)
    assert says in (result.error or "")
    assert seen() == []


def test_who_may_only_read_is_told_so(reader_fleet: Fleet, seen: Seen) -> None:
    result = reader_fleet.openstack.run_port(TASK)
    assert (result.changed, result.error_code, seen()) == (False, "denied", [])
    assert "It needs the role admin" in (result.error or "")


def test_a_read_only_fleet(environment: None, seen: Seen) -> None:  # noqa: ARG001 - it comes first
    with Fleet(FleetConfig(policy=Policy(read_only=True)), cloud="box") as fleet:
        assert fleet.openstack.run_port(TASK).error_code == "policy"
    assert seen() == []


def boot(cloud: Cloud, name: str, host: str = "gpu-host-001") -> str:
    """Begin to make a server on a host; its id."""
    image = cloud.get("glance", "/v2/images")["images"][0]["id"]
    flavors = cloud.get("nova", "/v2.1/flavors")["flavors"]
    flavor = next(one["id"] for one in flavors if one["name"] == "n3-cpu-x16-large")
    body = {"name": name, "imageRef": image, "flavorRef": flavor, "networks": "none", "host": host}
    return str(cloud.post("nova", "/v2.1/servers", {"server": body})["server"]["id"])


@pytest.mark.usefixtures("changed")
def test_a_server_that_is_being_built_is_waited_for(
    proxied_fleet: Fleet, cloud: Cloud, faults: Faults, seen: Seen
) -> None:
    compute = processes.pid_of("nova-compute@gpu-host-002")
    assert compute is not None

    def answers() -> list[int]:
        return [one.status for one in faults.requests() if one.path.endswith("/os-interface")]

    os.kill(compute, signal.SIGSTOP)
    try:
        server = boot(cloud, "new", "gpu-host-002")
        with ThreadPoolExecutor(1) as pool:
            run = pool.submit(proxied_fleet.openstack.run_port, {**TASK, "server": server})
            while len(answers()) < 2:
                assert not run.done(), run.result()
                time.sleep(0.1)
            os.kill(compute, signal.SIGCONT)
            done(run.result())
    finally:
        os.kill(compute, signal.SIGCONT)
    assert answers()[:2] == [409, 409]
    assert answers()[-1] == 200
    (port,) = seen()
    assert (port["device_id"], port["name"]) == (server, f"new-{NETWORK}-port")


@pytest.mark.usefixtures("changed")
def test_two_servers_of_one_name(fleet: Fleet, cloud: Cloud, seen: Seen) -> None:
    ids = sorted(boot(cloud, "twin") for _ in "12")
    result = fleet.openstack.run_port({**TASK, "server": "twin"})
    assert (result.error_code, seen()) == ("conflict", [])
    assert f"2 have that name. Give the id of the one that you mean: {', '.join(ids)}." in (
        result.error or ""
    )
    with pytest.raises(Conflict):
        fleet.openstack.server("twin")
    assert fleet.openstack.server(ids[0]).name == "twin"
    with pytest.raises(NotFound):
        fleet.openstack.server("Twin-")
