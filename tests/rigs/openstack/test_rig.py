# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rig holds what it promises: .venv/bin/pytest tests/rigs/openstack."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rigs.openstack import cloud as seeded
from rigs.openstack import processes, seed
from rigs.openstack.api import ApiError, Cloud, Json
from rigs.openstack.faults import Faults, Rule
from rigs.openstack.layout import APIS, BOX, CLOUDS, PYTHON

ADD = Rule("nova", "POST", r"/os-aggregates/\d+/action$", body="add_host")
REMOVE = Rule("nova", "POST", r"/os-aggregates/\d+/action$", body="remove_host")


SDK = """
import json, openstack
box = openstack.connect()
found = {
    "compute": box.compute.aggregates(),
    "identity": box.identity.projects(),
    "image": box.image.images(),
    "network": box.network.networks(),
    "placement": box.placement.resource_providers(),
}
print(json.dumps({service: sorted(one.name for one in some) for service, some in found.items()}))
"""


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def picture(cloud: Cloud) -> Json:
    """What a reset restores, without ids of servers and ports."""
    providers = cloud.get("placement", "/resource_providers")["resource_providers"]
    flavors = cloud.get("nova", "/v2.1/flavors")["flavors"]
    servers = cloud.get("nova", "/v2.1/servers/detail", all_tenants=1)["servers"]
    compute = cloud.get("nova", "/v2.1/os-services", binary="nova-compute")["services"]
    return {
        "aggregates": {name: (set(a["hosts"]), a["metadata"]) for name, a in _all(cloud).items()},
        "flavors": {flavor["name"] for flavor in flavors},
        "mirror": {p["name"]: mirrored(cloud, p["uuid"]) for p in providers},
        "ports": len(cloud.get("neutron", "/v2.0/ports")["ports"]),
        "servers": {
            server["name"]: (server["status"], server["OS-EXT-SRV-ATTR:host"]) for server in servers
        },
        "services": {s["host"]: (s["status"], s["forced_down"]) for s in compute},
        "consumers": {p["name"]: consumers(cloud, p["uuid"]) for p in providers},
    }


def consumers(cloud: Cloud, provider: str) -> int:
    """How many things placement keeps room for on a host."""
    path = f"/resource_providers/{provider}/allocations"
    return len(cloud.get("placement", path)["allocations"])


def _all(cloud: Cloud) -> dict[str, Any]:
    return {a["name"]: a for a in cloud.get("nova", "/v2.1/os-aggregates")["aggregates"]}


def mirrored(cloud: Cloud, provider: str) -> set[str]:
    found = cloud.get("placement", f"/resource_providers/{provider}/aggregates")
    return set(found["aggregates"])


def hosts(cloud: Cloud, aggregate: str) -> list[str]:
    return list(_all(cloud)[aggregate]["hosts"])


def act(cloud: Cloud, aggregate: str, action: str, host: str) -> None:
    path = f"/v2.1/os-aggregates/{_all(cloud)[aggregate]['id']}/action"
    cloud.post("nova", path, {action: {"host": host}})


def by_sdk(cloud: str) -> Json:
    """What openstacksdk sees as one of the clouds of clouds.yaml."""
    env = {**os.environ, "OS_CLIENT_CONFIG_FILE": str(CLOUDS), "OS_CLOUD": cloud}
    command = [str(PYTHON), "-c", SDK]
    result = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    found: Json = json.loads(result.stdout)
    return found


def test_aggregates_are_the_seeded_ones(cloud: Cloud) -> None:
    found = {name: (set(a["hosts"]), a["metadata"]) for name, a in _all(cloud).items()}
    assert found == {a.name: (set(a.hosts), a.metadata) for a in seeded.AGGREGATES}


def test_every_service_is_up_and_enabled(cloud: Cloud) -> None:
    found = cloud.get("nova", "/v2.1/os-services")["services"]
    assert {s["host"] for s in found if s["binary"] == "nova-compute"} == {
        host.name for host in seeded.HOSTS
    }
    assert {"nova-conductor", "nova-scheduler", "nova-compute"} == {s["binary"] for s in found}
    assert {(s["state"], s["status"]) for s in found} == {("up", "enabled")}


def test_gpus_are_inventory_of_the_providers(cloud: Cloud) -> None:
    providers = cloud.get("placement", "/resource_providers")["resource_providers"]
    totals = {}
    for provider in providers:
        path = f"/resource_providers/{provider['uuid']}/inventories"
        inventories = cloud.get("placement", path)["inventories"]
        gpus = {name: found["total"] for name, found in inventories.items() if "GPU" in name}
        totals[provider["name"]] = gpus
    assert totals == {host.name: {host.resource_class: host.gpus} for host in seeded.HOSTS}


def test_resources_in_use_are_allocations(cloud: Cloud) -> None:
    providers = cloud.get("placement", "/resource_providers")["resource_providers"]
    ids = {provider["name"]: provider["uuid"] for provider in providers}
    path = f"/resource_providers/{ids['gpu-host-001']}/usages"
    assert cloud.get("placement", path)["usages"]["CUSTOM_GPU_L40"] == 4  # x4; x1 is a name only


def test_servers_run_where_they_were_put(cloud: Cloud) -> None:
    found = cloud.get("nova", "/v2.1/servers/detail", all_tenants=1)["servers"]
    assert {
        (s["name"], s["status"], s["OS-EXT-SRV-ATTR:host"], s["flavor"]["original_name"])
        for s in found
    } == {(s.name, "ACTIVE", s.host, s.flavor) for s in seeded.SERVERS}
    alias = next(s for s in found if s["name"] == "b-infer-2")["flavor"]["extra_specs"]
    assert alias == {"pci_passthrough:alias": "a100:2"}


def test_a_reader_may_not_list_aggregates() -> None:
    reader = Cloud("reader", "tenant-a")
    names = {server["name"] for server in reader.get("nova", "/v2.1/servers")["servers"]}
    assert names == {server.name for server in seeded.SERVERS if server.tenant == "tenant-a"}
    with pytest.raises(ApiError, match="403"):
        reader.get("nova", "/v2.1/os-aggregates")


@pytest.mark.usefixtures("changed")
def test_a_host_moves_and_placement_follows(cloud: Cloud) -> None:
    act(cloud, "L40-n3-runpod", "add_host", "gpu-host-002")
    act(cloud, "L40-n3", "remove_host", "gpu-host-002")
    assert hosts(cloud, "L40-n3-runpod") == ["gpu-host-002"]
    assert hosts(cloud, "L40-n3") == ["gpu-host-001"]
    providers = cloud.get("placement", "/resource_providers", name="gpu-host-002")
    provider = providers["resource_providers"][0]["uuid"]
    assert mirrored(cloud, provider) == {_all(cloud)["L40-n3-runpod"]["uuid"]}


def test_a_used_host_may_not_change_its_zone(cloud: Cloud) -> None:
    with pytest.raises(ApiError, match="availability zone of the host would change"):
        act(cloud, "RTX-A4000-n3-spot", "remove_host", "gpu-host-008")
    assert hosts(cloud, "RTX-A4000-n3-spot") == ["gpu-host-008"]


@pytest.mark.usefixtures("changed")
def test_a_server_migrates_live(cloud: Cloud) -> None:
    found = cloud.get("nova", "/v2.1/servers", all_tenants=1, name="a-train-2")["servers"]
    path = f"/v2.1/servers/{found[0]['id']}"
    body = {"host": "gpu-host-002", "block_migration": "auto"}
    cloud.post("nova", f"{path}/action", {"os-migrateLive": body})
    deadline = time.monotonic() + 60
    while (server := cloud.get("nova", path)["server"])["OS-EXT-STS:task_state"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert (server["status"], server["OS-EXT-SRV-ATTR:host"]) == ("ACTIVE", "gpu-host-002")
    ports = cloud.get("neutron", "/v2.0/ports", device_id=server["id"])["ports"]
    assert [(p["status"], p["binding:host_id"]) for p in ports] == [("ACTIVE", "gpu-host-002")]


@pytest.mark.usefixtures("changed")
def test_a_port_fails_to_bind_where_told(cloud: Cloud) -> None:
    file = BOX / "unbindable"
    file.write_text("gpu-host-003\n")
    network = cloud.get("neutron", "/v2.0/networks", name="storage-network")["networks"][0]["id"]
    try:
        types = {}
        for host in ("gpu-host-003", "gpu-host-004"):
            port = {
                "network_id": network,
                "binding:host_id": host,
                "device_id": "x",
                "device_owner": "compute:nova",
            }
            made = cloud.post("neutron", "/v2.0/ports", {"port": port})["port"]
            types[host] = made["binding:vif_type"]
    finally:
        file.unlink()
    assert types == {"gpu-host-003": "binding_failed", "gpu-host-004": "ovs"}


def test_reset_undoes_everything(cloud: Cloud) -> None:
    before = picture(cloud)
    _disorder(cloud)
    assert picture(cloud) != before
    seed.reset()
    assert picture(cloud) == before


def _disorder(cloud: Cloud) -> None:
    """Change something of every kind."""
    act(cloud, "misc-n2", "add_host", "gpu-host-002")
    act(cloud, "L40-n3", "remove_host", "gpu-host-002")
    act(cloud, "RTX-A4000-n3", "remove_host", "gpu-host-007")
    body = {"aggregate": {"name": "another", "availability_zone": "az-3"}}
    cloud.post("nova", "/v2.1/os-aggregates", body)
    act(cloud, "another", "add_host", "gpu-host-007")
    path = f"/v2.1/os-aggregates/{_all(cloud)['L40-n3']['id']}/action"
    cloud.post("nova", path, {"set_metadata": {"metadata": {"pool": None, "owner": "me"}}})
    for service in cloud.get("nova", "/v2.1/os-services", binary="nova-compute")["services"][:2]:
        path = f"/v2.1/os-services/{service['id']}"
        cloud.put("nova", path, {"status": "disabled", "disabled_reason": "test"})
        cloud.put("nova", path, {"forced_down": True})
    _drift(cloud, "gpu-host-006")
    _leave_behind(cloud, "gpu-host-002")
    for server in cloud.get("nova", "/v2.1/servers", all_tenants=1)["servers"]:
        if server["name"] == "a-train-1":
            cloud.delete("nova", f"/v2.1/servers/{server['id']}")
        if server["name"] == "b-batch-1":
            cloud.post("nova", f"/v2.1/servers/{server['id']}/action", {"os-stop": None})
    network = cloud.get("neutron", "/v2.0/networks", name="storage-network")["networks"][0]["id"]
    cloud.post("neutron", "/v2.0/ports", {"port": {"network_id": network, "name": "left-over"}})
    flavor = {"name": "another", "vcpus": 1, "ram": 1, "disk": 1}
    cloud.post("nova", "/v2.1/flavors", {"flavor": flavor})


def _drift(cloud: Cloud, host: str) -> None:
    """Have placement know nothing of the host's aggregates."""
    found = cloud.get("placement", "/resource_providers", name=host)["resource_providers"]
    path = f"/resource_providers/{found[0]['uuid']}/aggregates"
    cloud.put("placement", path, cloud.get("placement", path) | {"aggregates": []})


def _leave_behind(cloud: Cloud, host: str) -> None:
    """Have placement keep room on a host, as for a migration whose server was deleted."""
    found = cloud.get("placement", "/resource_providers", name=host)["resource_providers"]
    allocation = {
        "allocations": {found[0]["uuid"]: {"resources": {"VCPU": 1}}},
        "project_id": "x",
        "user_id": "x",
        "consumer_generation": None,
        "consumer_type": "MIGRATION",
    }
    cloud.put("placement", f"/allocations/{uuid.uuid4()}", allocation)


def test_the_sdk_goes_through_the_proxy(faults: Faults) -> None:
    found = by_sdk("box-proxied")
    counts = faults.counts()
    assert set(counts) == set(APIS)
    assert by_sdk("box") == found
    assert faults.counts() == counts
    assert set(found["compute"]) == {a.name for a in seeded.AGGREGATES}
    assert set(found["placement"]) == {host.name for host in seeded.HOSTS}
    assert set(found["network"]) == {network.name for network in seeded.NETWORKS}
    assert found["image"] == [seeded.IMAGE]
    assert set(seeded.TENANTS) <= set(found["identity"])


def test_a_rule_answers_the_nth_call(faults: Faults) -> None:
    rule = Rule("nova", "GET", "/os-services", nth=2, action="answer", status=503, text="busy")
    faults.set(rule)
    proxied = Cloud(proxied=True)
    proxied.get("nova", "/v2.1/os-services")
    with pytest.raises(ApiError, match="503 busy"):
        proxied.get("nova", "/v2.1/os-services")
    proxied.get("nova", "/v2.1/os-services")
    assert faults.fired() == [1]
    seen = [(r.status, r.action) for r in faults.requests() if r.service == "nova"]
    assert seen == [(200, "pass"), (503, "answer"), (200, "pass")]


@pytest.mark.usefixtures("changed")
def test_a_refused_call_has_no_effect(cloud: Cloud, faults: Faults) -> None:
    faults.set(replace(ADD, action="refuse"))
    with pytest.raises(OSError, match="no answer"):
        act(Cloud(proxied=True), "L40-n3-runpod", "add_host", "gpu-host-002")
    assert hosts(cloud, "L40-n3-runpod") == []


@pytest.mark.usefixtures("changed")
def test_a_lost_answer_has_its_effect(cloud: Cloud, faults: Faults) -> None:
    faults.set(replace(REMOVE, action="refuse"), replace(ADD, action="lose"))
    with pytest.raises(OSError, match="no answer"):
        act(Cloud(proxied=True), "L40-n3-runpod", "add_host", "gpu-host-002")
    assert hosts(cloud, "L40-n3-runpod") == ["gpu-host-002"]
    assert faults.fired() == [0, 1]
    assert faults.requests()[-1].status == 200


def test_a_delay_is_waited_for(faults: Faults) -> None:
    faults.set(Rule("placement", "GET", "/resource_providers", delay=0.5))
    proxied = Cloud(proxied=True)
    started = time.monotonic()
    assert proxied.get("placement", "/resource_providers")["resource_providers"]
    assert time.monotonic() - started >= 0.5


@pytest.mark.usefixtures("changed")
def test_a_held_call_waits_for_the_test(cloud: Cloud, faults: Faults, tmp_path: Path) -> None:
    file = tmp_path / "held"
    faults.set(replace(ADD, hold=str(file)))
    proxied = Cloud(proxied=True)
    call = threading.Thread(target=act, args=(proxied, "L40-n3-runpod", "add_host", "gpu-host-002"))
    call.start()
    processes.wait("the held call", file.exists, 10)
    assert hosts(cloud, "L40-n3-runpod") == []
    file.unlink()
    call.join(10)
    assert hosts(cloud, "L40-n3-runpod") == ["gpu-host-002"]


def test_bad_rules_are_refused(faults: Faults) -> None:
    with pytest.raises(ValueError, match="no good rules"):
        faults.set(Rule("nova", path="("))
