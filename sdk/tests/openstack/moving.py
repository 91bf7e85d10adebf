# SPDX-License-Identifier: Apache-2.0
"""Moves of GPU hosts on the rig: what is moved, what really became of it, and what others do."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from rigs.openstack.api import Cloud

from hostler import Fleet
from hostler.gpu import lock
from hostler.models.migration import MigrationResult
from hostler.plan.who import Who


class Move(NamedTuple):
    """A host, and the aggregates that it leaves and enters."""

    host: str
    source: str
    target: str

    @property
    def task(self) -> dict[str, Any]:
        return {"host": self.host, "target": self.target}


ADD_FIRST = Move("gpu-host-002", "L40-n3", "L40-n3-runpod")
REMOVE_FIRST = Move("gpu-host-007", "RTX-A4000-n3", "RTX-A4000-n3-spot")


@cache
def admin() -> Cloud:
    """The rig, past the program under test; logged in once."""
    return Cloud()


@cache
def provider(host: str) -> str:
    """The host's id in placement."""
    found = admin().get("placement", "/resource_providers", name=host)["resource_providers"]
    return str(found[0]["uuid"])


class Truth(NamedTuple):
    """What Nova and placement really have of a host, read past the program under test."""

    aggregates: set[str]
    mirrored: set[str]
    service: tuple[str, str | None]
    locks: list[str]


def truth(host: str) -> Truth:
    cloud = admin()
    found = cloud.get("nova", "/v2.1/os-aggregates")["aggregates"]
    services = cloud.get("nova", "/v2.1/os-services", host=host, binary="nova-compute")["services"]
    path = f"/resource_providers/{provider(host)}/aggregates"
    uuids = cloud.get("placement", path)["aggregates"]
    return Truth(
        aggregates={a["name"] for a in found if host in a["hosts"]},
        mirrored={a["name"] for a in found if a["uuid"] in uuids},
        service=(services[0]["status"], services[0]["disabled_reason"]),
        locks=[k for a in found for k in a["metadata"] if k.startswith(lock.PREFIX)],
    )


def is_clean(host: str, aggregate: str) -> None:
    """The host is in one aggregate, also for placement, takes servers, and nobody locks it."""
    assert truth(host) == clean(aggregate)


def clean(aggregate: str) -> Truth:
    return Truth({aggregate}, {aggregate}, ("enabled", None), [])


def run(fleet: Fleet, move: Move, **more: Any) -> MigrationResult:
    (result,) = fleet.gpu.migrations.run([{**move.task, **more}])
    return result


def report_is_true(result: MigrationResult, move: Move, healthy: Fleet) -> None:
    """Moved, or undone, or half done and said; then it can be taken back."""
    if result.error is None:
        is_clean(move.host, move.target)
    elif not result.changed:
        is_clean(move.host, move.source)
    else:
        assert result.plan is not None
        assert f"'hostler plan undo {result.plan.id}'" in result.error
        found = truth(move.host).aggregates
        assert found <= {move.source, move.target}
        if not found:  # between two zones
            assert f"take host {move.host} out of aggregate {move.source}" in result.error
        healthy.runner.undo(result.plan.id)
        is_clean(move.host, move.source)


def write_lock(fleet: Fleet, host: str, who: Who, until: str) -> None:
    nova = fleet.openstack_cloud().compute
    aggregate = nova.aggregates()[0].id
    theirs = lock.Lock("6b000000-aaaa", host, who, until, aggregate)
    nova.set_metadata(aggregate, {theirs.key: lock._text(theirs)})


def boot(host: str, flavor: str = "n3-L40x1") -> str:
    """Boot a server on a host; its id once Nova has it there."""
    cloud = Cloud("admin", "tenant-a")
    image = cloud.get("glance", "/v2/images")["images"][0]["id"]
    body = {
        "name": "newcomer",
        "imageRef": image,
        "flavorRef": flavor,
        "networks": "none",
        "host": host,
    }
    return str(cloud.post("nova", "/v2.1/servers", {"server": body})["server"]["id"])


def drift(host: str, uuids: list[str]) -> None:
    cloud = admin()
    path = f"/resource_providers/{provider(host)}/aggregates"
    cloud.put("placement", path, cloud.get("placement", path) | {"aggregates": uuids})


def disable(host: str, reason: str) -> None:
    cloud = admin()
    found = cloud.get("nova", "/v2.1/os-services", host=host, binary="nova-compute")["services"]
    body = {"status": "disabled", "disabled_reason": reason}
    cloud.put("nova", f"/v2.1/os-services/{found[0]['id']}", body)


def act(aggregate: str, action: str, host: str) -> None:
    """Do to an aggregate what somebody else does: ``add_host`` or ``remove_host``."""
    cloud = admin()
    found = cloud.get("nova", "/v2.1/os-aggregates")["aggregates"]
    (id,) = [a["id"] for a in found if a["name"] == aggregate]
    cloud.post("nova", f"/v2.1/os-aggregates/{id}/action", {action: {"host": host}})


def someone_elses_lock(fleet: Fleet, host: str) -> None:
    """Lock a host as an operator on another machine does."""
    write_lock(fleet, host, Who("alice", "ctl-2", 4711, "99"), "2999-01-01T00:00:00Z")
