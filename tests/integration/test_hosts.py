# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pool of hosts through both doors, and as an inventory. Its hosts are of the test driver."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import Play, Task
from .test_inventory import parsed

ANSIBLE = Path(sys.executable).parent
VM = """
<domain type='test'><name>{name}</name>
  <metadata><hostler:vm xmlns:hostler='https://hostler.dev/vm/1'/></metadata>
  <memory unit='GiB'>2</memory><vcpu>2</vcpu><os><type>hvm</type></os>
  <devices>{devices}</devices>
</domain>
"""
GPU = """
<device><name>pci_3</name><parent>computer</parent><path>/sys/devices/pci0/3</path>
  <capability type='pci'><class>0x030200</class>
    <domain>0</domain><bus>3</bus><slot>0</slot><function>0</function>
    <product id='0x26b9'>AD102GL [L40S]</product><vendor id='0x10de'>NVIDIA Corporation</vendor>
  </capability></device>
"""
GIVEN = """
<hostdev mode='subsystem' type='pci'><source><address bus='0x03' slot='0x00' function='0x0'/>
</source></hostdev>
"""
NODE = """
<node><cpu><mhz>2000</mhz><model>i686</model><active>8</active><nodes>1</nodes>
  <sockets>1</sockets><cores>8</cores><threads>1</threads></cpu><memory>16777216</memory>
  <network><name>lan</name><bridge name='virbr9'/>
    <ip address='192.168.9.1' netmask='255.255.255.0'/></network>{parts}</node>
"""

Listing = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def uris(tmp_path: Path) -> dict[str, str]:
    """Host ``kvm1`` has a GPU and a VM of ours that is given it; ``kvm2`` has nothing."""
    parts = {"kvm1": GPU + VM.format(name="train", devices=GIVEN), "kvm2": ""}
    for name, part in parts.items():
        (tmp_path / f"{name}.xml").write_text(NODE.format(parts=part))
    return {name: f"test://{tmp_path}/{name}.xml" for name in parts}


def task(title: str, module: str, /, **options: Any) -> Task:
    return {"name": title, f"hostler.fleet.{module}": options, "ignore_errors": True}


def register(uris: dict[str, str]) -> list[Task]:
    return [
        task(f"add {name}", "host", id=name, uri=uri, labels={"rack": f"r-{name}"})
        for name, uri in uris.items()
    ]


def test_life_of_a_host(play: Play, uris: dict[str, str]) -> None:
    wanted = {"id": "kvm2", "uri": uris["kvm2"], "labels": {"rack": "r1"}}
    told = play(
        [
            {**task("predicted", "host", **wanted), "check_mode": True},
            task("none", "host_info"),
            task("added", "host", **wanted),
            task("again", "host", **wanted),
            task("changed", "host", id="kvm2", enabled=False, memory_limit="8GiB"),
            task("removed", "host", id="kvm2", state="absent"),
            task("removed again", "host", name="kvm2", state="absent"),
        ],
        "--diff",
    )
    assert [name for name, result in told.items() if result.get("failed")] == []
    changed = {name: result["changed"] for name, result in told.items() if name != "none"}
    assert changed == {
        "predicted": True,
        "added": True,
        "again": False,
        "changed": True,
        "removed": True,
        "removed again": False,
    }
    assert told["none"]["hosts"] == []
    assert told["predicted"]["diff"] == told["added"]["diff"]
    assert told["predicted"]["plan"]["commands"] == told["added"]["plan"]["commands"]
    assert told["predicted"]["host"] is None
    assert told["added"]["host"]["settings"]["labels"] == {"rack": "r1"}
    assert "memory_limit: 8GiB" in told["changed"]["diff"]["after"]
    assert told["removed"]["diff"]["after"] == ""


def test_bad_input_is_a_sentence(play: Play, uris: dict[str, str]) -> None:
    bad: dict[str, dict[str, Any]] = {
        "it is not in the pool yet, and needs a uri": {"id": "new"},
        "libvirt knows no 'foo'": {"id": "new", "uri": "foo:///system"},
        "Connection refused": {"id": "new", "uri": "qemu+tcp://127.0.0.1:1/system"},
        "in the pool already, as 'kvm1'": {"id": "new", "uri": uris["kvm1"]},
        "VMs on it are managed here: train": {"id": "kvm1", "state": "absent"},
        "has no unit": {"id": "kvm1", "memory_limit": "8"},
        "missing required arguments: id": {"uri": uris["kvm1"]},
    }
    told = play([*register(uris), *(task(words, "host", **o) for words, o in bad.items())])
    for words in bad:
        assert told[words]["failed"], words
        assert words in told[words]["msg"]
        assert "Traceback" not in told[words]["msg"]


def test_reading_hosts(play: Play, uris: dict[str, str], tmp_path: Path) -> None:
    down = {"hosts": {"down": {"uri": "qemu+tcp://127.0.0.1:1/system"}}}
    config = tmp_path / "fleet.yml"
    config.write_text(yaml.safe_dump(down))
    told = play(
        [
            *register(uris),
            task("all", "host_info", config=str(config), fields=["vms", "load"]),
            task("rack", "host_info", labels={"rack": "r-kvm2"}),
            task("one", "host_info", name="kvm1"),
            task("unregistered", "host_info", uri="test:///default"),
            task("nowhere", "host_info", name="kvm3"),
            task("sums", "fleet_info", config=str(config), timeout=5),
            task("vms", "vm_info", host="kvm1"),
            task("both", "vm_info", host="kvm1", uri=uris["kvm1"]),
        ]
    )
    assert [(h["id"], h["status"]) for h in told["all"]["hosts"]] == [
        *(("down", "unreachable"), ("kvm1", "active"), ("kvm2", "active")),
    ]
    assert "Connection refused" in told["all"]["hosts"][0]["reason"]
    (gpu,) = told["all"]["hosts"][1]["gpus"]
    assert (gpu["model"], gpu["used_by"]) == ("AD102GL [L40S]", ["train"])
    assert [v["name"] for v in told["all"]["hosts"][1]["vms"]] == ["train"]
    assert [h["id"] for h in told["rack"]["hosts"]] == ["kvm2"]
    assert [h["id"] for h in told["one"]["hosts"]] == ["kvm1"]
    assert [h["id"] for h in told["unregistered"]["hosts"]] == [None]
    assert "Did you mean" in told["nowhere"]["msg"]
    sums = told["sums"]
    assert (sums["total_hosts"], sums["active_hosts"], list(sums["unreachable_hosts"])) == (
        3,
        2,
        ["down"],
    )
    assert (sums["total_cpu_cores"], sums["used_cpu_cores"]) == (16, 2)
    assert (sums["total_gpus"], sums["used_gpus"]) == (1, 1)
    assert [vm["name"] for vm in told["vms"]["vms"]] == ["train"]
    assert "both name a hypervisor" in told["both"]["msg"]


def test_vms_are_placed(play: Play, uris: dict[str, str]) -> None:
    new = {"memory": "1GiB", "networks": [], "host": "auto"}
    wanted: dict[str, dict[str, Any]] = {
        "placed": {"name": "new", **new},
        "packed": {"name": "new", **new, "placement": {"strategy": "pack"}},
        "found": {"name": "train", "host": "auto", "cpus": 2},
        "gpu": {"name": "new", **new, "placement": {"gpu": {"model": "*L40S*"}}},
        "contradiction": {"name": "new", "host": "kvm1", "placement": {"strategy": "pack"}},
        "several": {"vms": [{"name": "a"}, {"name": "b"}, {"name": "c", "host": "kvm1"}], **new},
    }
    tasks = [{**task(title, "vm", **o), "check_mode": True} for title, o in wanted.items()]
    told = play([*register(uris), *tasks, task("made", "vm", name="new", **new)])
    assert told["placed"]["placement"]["host"] == "kvm2"
    assert told["placed"]["placement"]["others"]["kvm1"].startswith("has 1 VM, ")
    assert told["placed"]["plan"]["commands"][0].startswith("# reserve on host kvm2 for VM new: ")
    assert told["packed"]["placement"]["host"] == "kvm1"
    assert (told["found"]["changed"], told["found"]["placement"]) == (False, None)
    assert told["found"]["vm"]["uri"] == uris["kvm1"]
    assert told["gpu"]["error"]["code"] == "no_room"
    assert "kvm1 has 0 of 1 GPUs *L40S* free" in told["gpu"]["msg"]
    assert "placement chooses a host" in told["contradiction"]["msg"]
    several = [item["placement"] for item in told["several"]["results"]]
    assert [one and one["host"] for one in several] == ["kvm2", "kvm2", None]
    assert (told["made"]["changed"], told["made"]["placement"]["host"]) == (True, "kvm2")


def test_vms_of_the_pool(
    play: Play, environment: dict[str, str], uris: dict[str, str], tmp_path: Path
) -> None:
    del environment["LIBVIRT_DEFAULT_URI"]
    two = NODE.format(parts="".join(VM.format(name=name, devices="") for name in ("train", "web")))
    Path(uris["kvm2"].removeprefix("test://")).write_text(two)
    down = {"hosts": {"down": {"uri": "qemu+tcp://127.0.0.1:1/system"}}}
    (tmp_path / "fleet.yml").write_text(yaml.safe_dump(down))
    config = str(tmp_path / "fleet.yml")
    told = play(
        [
            *register(uris),
            task("all", "vm_info", sort="-name", limit=2),
            task("of one", "vm_info", host="kvm1"),
            task("batch", "vm_batch", operation="start", names=["web", "*rain", "never"]),
            task("several", "vm_batch", operation="stop", names=["train"]),
            task("reached", "vm_batch", config=config, operation="start", names=["we*"]),
            task("hidden", "vm_batch", config=config, operation="start", names=["never"]),
            task("lost", "vm_info", config=config, names=["never"]),
        ]
    )
    assert [(vm["name"], vm["host_id"]) for vm in told["all"]["vms"]] == [
        ("web", "kvm2"),
        ("train", "kvm1"),
    ]
    assert told["all"]["pagination"] == {"page": 1, "limit": 2, "total": 3, "pages": 2}
    assert [(vm["name"], vm["host_id"]) for vm in told["of one"]["vms"]] == [("train", "kvm1")]
    batch = told["batch"]
    assert (batch["failed"], batch["status"], batch["changed"]) == (True, "partial", False)
    assert [(one["name"], one["host_id"]) for one in batch["results"]] == [
        ("train", "kvm1"),
        ("train", "kvm2"),
        ("web", "kvm2"),
        ("never", None),
    ]
    assert "VM 'never' on the hosts of the pool: there is no such VM" in batch["msg"]
    assert "there is one on hosts kvm1 and kvm2. Say which: host: ID" in told["several"]["msg"]
    assert not told["several"]["changed"]
    assert not told["reached"].get("failed")
    assert "Connection refused" in told["reached"]["unreachable_hosts"]["down"]
    for title in ("hidden", "lost"):
        assert "it may be on host down, never seen so far" in told[title]["msg"]


@pytest.fixture
def listing(environment: dict[str, str], tmp_path: Path) -> Listing:
    """Return what `ansible-inventory --list` does with a file of these options."""

    def listing(**options: Any) -> subprocess.CompletedProcess[str]:
        config = {"plugin": "hostler.fleet.hosts", "sources": ["libvirt"], **options}
        path = tmp_path / "pool.hostler.yml"
        path.write_text(yaml.safe_dump(config))
        return subprocess.run(
            [ANSIBLE / "ansible-inventory", "-i", path, "--list"],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return listing


def declared(tmp_path: Path, uris: dict[str, str]) -> str:
    hosts: dict[str, Any] = {
        name: {"uri": uri, "labels": {"rack": "r1"}} for name, uri in uris.items()
    }
    hosts["down"] = {"uri": "qemu+ssh://root@127.0.0.1:1/system?no_verify=1"}
    path = tmp_path / "fleet.yml"
    path.write_text(yaml.safe_dump({"hosts": hosts}))
    return str(path)


def test_the_inventory(listing: Listing, uris: dict[str, str], tmp_path: Path) -> None:
    keyed = [{"key": "hostler_host.labels.rack | default('none')", "prefix": "rack"}]
    done = listing(config=declared(tmp_path, uris), keyed_groups=keyed)
    assert done.returncode == 0, done.stderr
    told = parsed(done.stdout)
    hosts = told["_meta"]["hostvars"]
    assert sorted(hosts) == ["down", "kvm1", "kvm2"]
    assert {name: sorted(told[name]["hosts"]) for name in told if name not in ("_meta", "all")} == {
        "gpu_L40S": ["kvm1"],
        "hypervisor_test": ["kvm1", "kvm2"],
        "label_rack_r1": ["kvm1", "kvm2"],
        "rack_none": ["down"],
        "rack_r1": ["kvm1", "kvm2"],
        "status_active": ["kvm1", "kvm2"],
        "status_unreachable": ["down"],
    }
    assert hosts["down"]["ansible_host"] == "127.0.0.1"
    assert (hosts["down"]["ansible_user"], hosts["down"]["ansible_port"]) == ("root", 1)
    one = hosts["kvm1"]["hostler_host"]
    assert (one["capacity"]["cpus"], one["allocated"]["cpus"]) == (32.0, 2.0)
    assert one["gpus"][0]["used_by"] == ["train"]
    assert "down" in done.stderr
    assert "WARNING" in done.stderr


def test_the_inventory_is_cached(listing: Listing, uris: dict[str, str], tmp_path: Path) -> None:
    kept = {
        "config": declared(tmp_path, uris),
        "statuses": ["active"],
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(tmp_path / "kept"),
    }
    first = listing(**kept)
    for uri in uris.values():
        Path(uri.removeprefix("test://")).unlink()
    assert parsed(listing(**kept).stdout) == parsed(first.stdout)
    fresh = parsed(listing(**{**kept, "cache": False}).stdout)
    assert fresh["_meta"]["hostvars"] == {}


def test_vms_of_hosts_of_the_pool(listing: Listing, uris: dict[str, str], tmp_path: Path) -> None:
    config = declared(tmp_path, uris)
    vms = {"plugin": "hostler.fleet.vms", "sources": ["libvirt"], "config": config}
    told = parsed(listing(**vms, host=["kvm*"]).stdout)
    assert list(told["_meta"]["hostvars"]) == ["train"]
    lost = listing(**vms, host=["nowhere"])
    assert "there is no such host in the pool" in lost.stderr
