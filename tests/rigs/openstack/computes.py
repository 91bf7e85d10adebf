# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute services, aggregates, servers and ports, brought back to the state of cloud.py.

Reads all of it once and changes only what differs: a cloud that is right costs reading alone.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rigs.openstack import cloud as seeded
from rigs.openstack import processes
from rigs.openstack.api import ApiError, Cloud, Json
from rigs.openstack.processes import RigError

_PATIENCE = 120.0
_DISABLED = "COMPUTE_STATUS_DISABLED"


@dataclass(frozen=True)
class Ids:
    """What servers are made of: ids by name."""

    projects: dict[str, str]
    image: str
    flavors: dict[str, str]
    networks: dict[str, str]


def reset(cloud: Cloud, ids: Ids) -> None:
    """Put back services, aggregates, servers and ports, in an order that Nova allows."""
    _services(cloud)
    wrong, right = _servers(cloud)
    _delete_servers(cloud, wrong)  # first: a host with servers may not change its availability zone
    _aggregates(cloud)
    _placement(cloud)
    _allocations(cloud, right)
    missing = [server for server in seeded.SERVERS if server.name not in right]
    right |= _create_servers(ids, missing)
    _ports(cloud, set(right.values()))


def _services(cloud: Cloud) -> None:
    """Enable every compute service; forget those of further hosts that run no more."""
    known = {host.name for host in seeded.HOSTS}
    for service in cloud.get("nova", "/v2.1/os-services", binary="nova-compute")["services"]:
        path = f"/v2.1/os-services/{service['id']}"
        host = service["host"]
        if host not in known and not processes.pid_of(f"nova-compute@{host}"):
            cloud.delete("nova", path)
        elif service["status"] != "enabled" or service["forced_down"]:
            cloud.put("nova", path, {"forced_down": False})
            cloud.put("nova", path, {"status": "enabled"})


def _servers(cloud: Cloud) -> tuple[list[str], dict[str, str]]:
    """The servers that must go, and those that are as seeded: ids, and ids by name."""
    wanted = {server.name: server for server in seeded.SERVERS}
    found = cloud.get("nova", "/v2.1/servers/detail", all_tenants=1)["servers"]
    ports = Counter(port["device_id"] for port in cloud.get("neutron", "/v2.0/ports")["ports"])
    right: dict[str, str] = {}
    wrong: list[str] = []
    for server in found:
        name, id = server["name"], server["id"]
        seed = wanted.get(name)
        if seed and name not in right and ports[id] == 1 and _as_seeded(server, seed):
            right[name] = id
        else:
            wrong.append(id)
    return wrong, right


def _as_seeded(server: Json, seed: seeded.Server) -> bool:
    return (
        server["status"] == "ACTIVE"
        and server["OS-EXT-STS:task_state"] is None
        and server["OS-EXT-SRV-ATTR:host"] == seed.host
        and server["flavor"]["original_name"] == seed.flavor
        and not server["locked"]
        and not server["metadata"]
    )


def _delete_servers(cloud: Cloud, ids: Iterable[str]) -> None:
    left = set(ids)
    deadline = time.monotonic() + _PATIENCE
    for id in left:
        cloud.delete("nova", f"/v2.1/servers/{id}", missing_ok=True)
    while left:
        if time.monotonic() > deadline:
            raise RigError(f"servers that do not go away: {', '.join(sorted(left))}")
        time.sleep(0.2)
        found = cloud.get("nova", "/v2.1/servers", all_tenants=1)["servers"]
        left &= {server["id"] for server in found}


def _aggregates(cloud: Cloud) -> None:
    """Ensure the aggregates with their hosts and metadata, and no others."""
    wanted = {aggregate.name: aggregate for aggregate in seeded.AGGREGATES}
    found = {a["name"]: a for a in cloud.get("nova", "/v2.1/os-aggregates")["aggregates"]}
    for name, aggregate in found.items():  # out of the wrong ones first: zones exclude each other
        keep = wanted[name].hosts if name in wanted else ()
        for host in set(aggregate["hosts"]) - set(keep):
            _act(cloud, aggregate, {"remove_host": {"host": host}})
        if name not in wanted:
            cloud.delete("nova", f"/v2.1/os-aggregates/{aggregate['id']}")
    for name, seed in wanted.items():
        if name not in found:
            body = {"aggregate": {"name": name, "availability_zone": None}}
            found[name] = cloud.post("nova", "/v2.1/os-aggregates", body)["aggregate"]
            found[name] |= {"hosts": [], "metadata": {}}
        _metadata(cloud, found[name], seed.metadata)
        for host in seed.hosts:
            if host not in found[name]["hosts"]:
                _act(cloud, found[name], {"add_host": {"host": host}})


def _metadata(cloud: Cloud, aggregate: Json, wanted: dict[str, str]) -> None:
    if aggregate["metadata"] != wanted:
        change = dict.fromkeys(aggregate["metadata"]) | wanted
        _act(cloud, aggregate, {"set_metadata": {"metadata": change}})


def _act(cloud: Cloud, aggregate: Json, action: Json) -> None:
    """Change an aggregate. Nova still counts a server for some seconds after it is gone (409)."""
    deadline = time.monotonic() + 30
    while True:
        try:
            cloud.post("nova", f"/v2.1/os-aggregates/{aggregate['id']}/action", action)
        except ApiError as error:
            if error.status != 409 or time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def _placement(cloud: Cloud) -> None:
    """Have placement mirror the aggregates, where a test made them drift apart."""
    uuids: dict[str, set[str]] = {}
    for aggregate in cloud.get("nova", "/v2.1/os-aggregates")["aggregates"]:
        for host in aggregate["hosts"]:
            uuids.setdefault(host, set()).add(aggregate["uuid"])
    for provider in cloud.get("placement", "/resource_providers")["resource_providers"]:
        path = f"/resource_providers/{provider['uuid']}/aggregates"
        mirror = cloud.get("placement", path)
        wanted = uuids.get(provider["name"], set())
        if set(mirror["aggregates"]) != wanted:
            cloud.put("placement", path, mirror | {"aggregates": sorted(wanted)})
    enable_in_placement(cloud)


def enable_in_placement(cloud: Cloud) -> None:
    """Have placement know that all hosts take servers.

    Where a host just changes otherwise, Nova gives up telling it, and does so minutes later.
    """
    disabled = cloud.get("placement", "/resource_providers", required=_DISABLED)
    for provider in disabled["resource_providers"]:
        path = f"/resource_providers/{provider['uuid']}/traits"
        found = cloud.get("placement", path)
        traits = [trait for trait in found["traits"] if trait != _DISABLED]
        cloud.put("placement", path, found | {"traits": traits})


def _allocations(cloud: Cloud, servers: dict[str, str]) -> None:
    """Free what hosts keep for others than these: for a migration whose server was deleted."""
    vcpus = {flavor.name: flavor.vcpus for flavor in seeded.FLAVORS}
    wanted = sum(vcpus[server.flavor] for server in seeded.SERVERS if server.name in servers)
    found = cloud.get("placement", "/allocation_candidates", resources="VCPU:1")
    hosts = found["provider_summaries"]
    if sum(host["resources"]["VCPU"]["used"] for host in hosts.values()) == wanted:
        return
    for uuid in hosts:
        path = f"/resource_providers/{uuid}/allocations"
        for consumer in cloud.get("placement", path)["allocations"]:
            if consumer not in servers.values():
                cloud.delete("placement", f"/allocations/{consumer}", missing_ok=True)


def _create_servers(ids: Ids, servers: list[seeded.Server]) -> dict[str, str]:
    """Create servers side by side, each on its host; their ids by name once they are ACTIVE."""
    clouds = {tenant: Cloud(project=tenant) for tenant in seeded.TENANTS}
    with ThreadPoolExecutor(4) as pool:
        created = dict(pool.map(lambda s: (s.name, _create(clouds[s.tenant], ids, s)), servers))
    for server in servers:
        _wait_active(clouds[server.tenant], created[server.name], server)
    return created


def _create(cloud: Cloud, ids: Ids, server: seeded.Server) -> str:
    body = {
        "name": server.name,
        "imageRef": ids.image,
        "flavorRef": ids.flavors[server.flavor],
        "networks": [{"uuid": ids.networks[f"{server.tenant}-net"]}],
        "host": server.host,
    }
    return str(cloud.post("nova", "/v2.1/servers", {"server": body})["server"]["id"])


def _wait_active(cloud: Cloud, id: str, seed: seeded.Server) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        server = cloud.get("nova", f"/v2.1/servers/{id}")["server"]
        if _as_seeded(server, seed):
            return
        if server["status"] == "ERROR" or time.monotonic() > deadline:
            fault = server.get("fault", {}).get("message", "no reason given")
            raise RigError(f"server {seed.name} is {server['status']}: {fault}")
        time.sleep(0.2)


def _ports(cloud: Cloud, servers: set[str]) -> None:
    """Delete every port that is no seeded server's."""
    for port in cloud.get("neutron", "/v2.0/ports")["ports"]:
        if port["device_id"] not in servers:
            cloud.delete("neutron", f"/v2.0/ports/{port['id']}", missing_ok=True)
