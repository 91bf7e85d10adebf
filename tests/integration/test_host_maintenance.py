# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host is emptied and taken back through both doors, and by the playbook; on two real hosts."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from zlib import crc32

import libvirt
import pytest
import yaml

from .conftest import PLAYBOOK, ROOT, Play, Results, Task

HOSTS = ROOT / "tests" / "rigs" / "libvirt" / "hosts.sh"
NET = f"10.95.{crc32(str(ROOT).encode()) % 250}"
LOCK = ROOT / ".cache" / "rigs" / "collection-hosts.lock"
URIS = {name: f"qemu+tcp://{NET}.{number}/system" for number, name in enumerate("ab", 1)}
VM = (
    "<domain type='kvm'><name>{}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>"
    "<os><type arch='x86_64' machine='q35'>hvm</type>"
    "<loader type='rom'>/var/lib/libvirt/guest/halt.rom</loader></os>"
    "<devices><controller type='usb' model='none'/></devices></domain>"
)
NAMES = ("gold", "web1", "web2")


def hosts(*words: str) -> None:
    done = subprocess.run(
        [HOSTS, *words],
        env={**os.environ, "HOSTLER_RIG_NET": NET},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def _two() -> Iterator[None]:
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        hosts("down")  # what a run that was killed has left
        hosts("up", *URIS)
        yield
        hosts("down")


@pytest.fixture
def config(_two: None, environment: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """A fleet.yml with both hosts; VMs run on ``a``, and one of them is protected."""
    del environment["LIBVIRT_DEFAULT_URI"]
    sweep()
    with closing(libvirt.open(URIS["a"])) as connection:
        for name in NAMES:
            connection.defineXML(VM.format(name)).create()
    declared = {
        "hosts": {name: {"uri": uri} for name, uri in URIS.items()},
        "policy": {"protected": ["gold"]},
    }
    (tmp_path / "fleet.yml").write_text(yaml.safe_dump(declared))
    yield str(tmp_path / "fleet.yml")
    sweep()


def sweep() -> None:
    for uri in URIS.values():
        with closing(libvirt.open(uri)) as connection:
            for domain in connection.listAllDomains():
                if domain.isActive():
                    domain.destroy()
                domain.undefine()


def places() -> dict[str, str]:
    found: dict[str, str] = {}
    for host, uri in URIS.items():
        with closing(libvirt.open(uri)) as connection:
            running = [d.name() for d in connection.listAllDomains() if d.isActive()]
            found |= dict.fromkeys(running, host)
    return found


def task(title: str, module: str = "host_maintenance", /, **options: Any) -> Task:
    return {"name": title, f"hostler.fleet.{module}": options, "ignore_errors": True}


def test_maintenance_of_a_host(play: Play, config: str) -> None:
    drain = {"config": config, "host": "a", "state": "drained", "parallel": 2}
    some = {**drain, "partial": True}
    back = {"config": config, "hosts": ["a"], "state": "active", "return_vms": True}
    told = play(
        [
            task("refused", **drain),
            {**task("predicted", **some), "check_mode": True},
            task("drained", **some),
            task("again", **some),
            task("info", "host_info", config=config),
            {**task("predicted back", **back), "check_mode": True},
            task("back", **back),
            task("back again", **back),
            task("whole", **drain, override_protection=True),
            task("nowhere", config=config, host="z", state="drained"),
            task("nonsense", config=config, host="a", state="drained", return_vms=True),
            task("both", config=config, host="a", hosts=["b"], state="drained"),
        ],
        "--diff",
    )
    refused = told["refused"]
    assert (refused["failed"], refused["error"]["code"]) == (True, "conflict")
    assert (refused["changed"], refused["moves"], list(refused["stuck"])) == (False, [], ["gold"])
    assert "Nothing was touched" in refused["msg"]
    done, predicted = told["drained"], told["predicted"]
    assert (done["changed"], done["drained"]) == (predicted["changed"], False) == (True, False)
    assert done["diff"] == predicted["diff"]
    assert "web1: b" in done["diff"]["after"]
    assert [(m["name"], m["target"], m["status"]) for m in predicted["moves"]] == [
        ("web1", "b", "planned"),
        ("web2", "b", "planned"),
    ]
    assert [(m["name"], m["runs_on"], m["status"]) for m in done["moves"]] == [
        ("web1", "b", "migrated"),
        ("web2", "b", "migrated"),
    ]
    for one, other in zip(done["moves"], predicted["moves"], strict=True):
        assert one["plan"]["commands"] == other["plan"]["commands"]
    assert done["host"]["maintenance"]
    assert (told["again"]["changed"], told["again"]["moves"]) == (False, [])
    assert [h["status"] for h in told["info"]["hosts"]] == ["maintenance", "active"]
    (returned,) = told["back"]["results"]
    assert (told["back"]["changed"], returned["drained"]) == (True, None)
    assert [m["target"] for m in returned["moves"]] == ["a", "a"]
    assert told["back"]["diff"] == told["predicted back"]["diff"]
    assert not told["back again"]["changed"]
    assert (told["whole"]["changed"], told["whole"]["drained"]) == (True, True)
    assert places() == dict.fromkeys(NAMES, "b")
    assert "no such host in the pool" in told["nowhere"]["msg"]
    assert "return_vms is for state: active" in told["nonsense"]["msg"]
    assert "mutually exclusive" in told["both"]["msg"]
    for result in told.values():
        assert "Traceback" not in str(result.get("msg"))


def drain(environment: dict[str, str], config: str, *words: str, **variables: Any) -> Results:
    """Run the playbook; the results of its tasks by their names."""
    results = Path(environment["HOSTLER_TEST_RESULTS"])
    results.unlink(missing_ok=True)
    done = subprocess.run(
        [PLAYBOOK, "hostler.fleet.drain_host", "-e", json.dumps(variables), *words],
        env={**environment, "HOSTLER_CONFIG": config},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(line) for line in results.read_text().splitlines())


def test_the_playbook(environment: dict[str, str], config: str, tmp_path: Path) -> None:
    (tmp_path / "work.yml").write_text(
        yaml.safe_dump(
            [{"name": "Work", "ansible.builtin.debug": {"msg": "{{ host }} {{ address }}"}}]
        )
    )
    moves = {"override_protection": True}
    wanted: dict[str, Any] = {"drain": ["a"], "moves": moves, "maintain": f"{tmp_path}/work.yml"}
    said = drain(environment, config, "--check", "--diff", **wanted)
    assert said["Empty a"]["changed"]
    assert places() == dict.fromkeys(NAMES, "a")
    done = drain(environment, config, **wanted)
    assert [move["status"] for move in done["Empty a"]["moves"]] == ["migrated"] * 3
    assert done["Work"]["msg"] == f"a {NET}.1"
    assert [m["target"] for m in done["Take its VMs back to a"]["moves"]] == ["a"] * 3
    assert places() == dict.fromkeys(NAMES, "a")
    drain(environment, config, **wanted, take_back=False)
    assert places() == dict.fromkeys(NAMES, "b")
