# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebooks, run by a real ansible-rulebook: a VM that was killed runs again."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

import libvirt
import libvirt_qemu
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
RULEBOOKS = ROOT / "extensions" / "eda" / "rulebooks"
EDA = ROOT / ".cache" / "eda" / "bin"
HOSTS = ROOT / "tests" / "rigs" / "libvirt" / "hosts.sh"
NET = f"10.96.{crc32(str(ROOT).encode()) % 250}"
"""A network of this checkout's own: another one's tests may run on this machine meanwhile."""
URI = f"qemu+tcp://{NET}.1/system"
INVENTORY = {
    "all": {
        "hosts": {
            "localhost": {
                "ansible_connection": "local",
                "ansible_python_interpreter": str(EDA / "python"),
            }
        }
    }
}
XML = """
<domain type='qemu'><name>{name}</name><memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type>
    <loader type='rom'>/var/lib/libvirt/guest/halt.rom</loader></os></domain>
"""
Output = Callable[[], str]
Running = Callable[..., Any]


@pytest.fixture(scope="module")
def host() -> Iterator[Callable[..., str]]:
    """One isolated hypervisor; runs commands inside it. Another run in this checkout waits."""
    lock = ROOT / ".cache" / "rigs" / "rulebooks.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        rig("down")
        rig("up", "e")
        yield lambda *words: rig("exec", "e", *words)
        rig("down")


def rig(*words: str) -> str:
    done = subprocess.run(
        [HOSTS, *words],
        env={**os.environ, "HOSTLER_RIG_NET": NET},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def running(tmp_path: Path) -> Running:
    """Run a rulebook by its name, until the test is done with it."""
    assert (EDA / "ansible-rulebook").exists(), "no ansible-rulebook; run: make setup"
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump(INVENTORY))

    @contextmanager
    def run(rulebook: str | Path, **variables: str) -> Iterator[Output]:
        output = tmp_path / "output.txt"
        program = [str(EDA / "ansible-rulebook"), "-v", "-i", "inventory.yml"]
        environment = {
            **os.environ,
            "PATH": f"{EDA}:{os.environ['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
            "HOSTLER_STORE": f"sqlite:///{tmp_path}/journal.db",
            "LIBVIRT_DEFAULT_URI": URI,
            **variables,
        }
        with (
            output.open("w") as file,
            subprocess.Popen(
                [*program, "--rulebook", str(rulebook)],
                cwd=tmp_path,
                env=environment,
                stdout=file,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            try:
                yield output.read_text
            finally:
                process.terminate()

    return run


def wait_for(ready: Callable[[], Any], what: Callable[[], str], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, what()
        time.sleep(0.1)


@pytest.mark.slow
def test_a_vm_that_was_killed_runs_again(host: Callable[..., str], running: Running) -> None:
    with (
        libvirt.open(URI) as connection,
        running("hostler.fleet.restart_crashed_vm") as output,
    ):
        web, other = [connection.defineXML(XML.format(name=name)) for name in ("web", "other")]
        for domain in (web, other):
            domain.create()
        wait_for(lambda: "Waiting for events" in output(), output)
        time.sleep(2)  # it says no word when it listens
        host("kill", "-KILL", host("cat", "/run/libvirt/qemu/web.pid").strip())
        wait_for(lambda: not web.isActive(), output, 10)
        wait_for(web.isActive, output, 30)
        other.destroy()  # somebody wants that
        time.sleep(2)
        assert (web.isActive(), other.isActive()) == (1, 0)


WRITES = """
<domain type='qemu'><name>writes</name><memory unit='MiB'>192</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type>
    <kernel>/var/lib/libvirt/guest/vmlinuz</kernel>
    <initrd>/var/lib/libvirt/guest/initrd.img</initrd>
    <cmdline>quiet panic=1 tsc=reliable</cmdline></os><features><acpi/></features>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/>
      <source file='/var/lib/libvirt/images/tiny/disk.raw'/><target dev='vda' bus='virtio'/></disk>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
  </devices></domain>
"""


def write(domain: libvirt.virDomain) -> bool:
    """Have the guest write more than there is room for; False while its agent is not there."""
    words = {"path": "dd", "arg": ["if=/dev/zero", "of=/dev/vda", "bs=1M", "count=8"]}
    try:
        command = json.dumps({"execute": "guest-exec", "arguments": words})
        libvirt_qemu.qemuAgentCommand(domain, command, 5, 0)
    except libvirt.libvirtError:
        return False
    return True


@pytest.mark.slow
def test_a_host_whose_disks_fail_is_emptied(
    host: Callable[..., str],
    running: Running,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig("up", "s")
    hosts = {"bad": {"uri": URI}, "good": {"uri": f"qemu+tcp://{NET}.2/system"}}
    (tmp_path / "fleet.yml").write_text(yaml.safe_dump({"hosts": hosts}))
    monkeypatch.setenv("HOSTLER_CONFIG", str(tmp_path / "fleet.yml"))
    tiny = "/var/lib/libvirt/images/tiny"
    host("mkdir", "-p", tiny)
    host("mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", tiny)
    host("truncate", "-s", "64M", f"{tiny}/disk.raw")
    with (
        libvirt.open(URI) as bad,
        libvirt.open(hosts["good"]["uri"]) as good,
        running("hostler.fleet.drain_failing_host", LIBVIRT_DEFAULT_URI="") as output,
    ):
        writes, calm = bad.defineXML(WRITES), bad.defineXML(XML.format(name="calm"))
        writes.create()
        calm.create()
        wait_for(lambda: "Waiting for events" in output(), output)
        wait_for(lambda: write(writes), output)
        for _error in range(3):
            wait_for(lambda: writes.state()[0] == libvirt.VIR_DOMAIN_PAUSED, output)
            writes.resume()
        wait_for(lambda: "calm" in [one.name() for one in good.listAllDomains()], output)
        wait_for(good.lookupByName("calm").isActive, output)
        writes.destroy()
    host("umount", "-l", tiny)


def event(kind: str, **fields: Any) -> dict[str, Any]:
    data = fields.pop("data", {})
    common = {"source": "libvirt", "host": "kvm1", "uri": URI, "vm": "web", "missed": False}
    return {"type": kind, "timestamp": "2026-01-01T00:00:00Z", **common, **fields, "data": data}


def status(new: str, reason: str | None, **fields: Any) -> dict[str, Any]:
    data = {"vm_id": "1", "old_status": "running", "new_status": new, "reason": reason}
    return event("vm.status.changed", data=data, **fields)


def full(pool: str, gpu_type: str = "L40", **fields: Any) -> dict[str, Any]:
    labels = {"gpu_type": gpu_type, "pool": pool}
    data = {"id": pool, "rule": "gpu_pool_full", "state": "firing", "labels": labels, **fields}
    return event("resource.alert", source="alerts", host=None, vm=None, data=data)


CASES = {
    "restart_crashed_vm": (
        [status("stopped", "crashed"), status("crashed", "panicked", vm="db")],
        [status("stopped", "destroyed"), status("paused", "user"), event("vm.rebooted")],
        2,
    ),
    "drain_failing_host": (
        [event("vm.io_error", vm=vm) for vm in ("a", "b", "c")],
        [event("vm.io_error", host="kvm2"), *[event("vm.io_error", host=None)] * 3],
        1,
    ),
    "grow_full_pool": (
        [full("spot"), full("spot", gpu_type="A100")],
        [
            full("ondemand"),
            full("spot", state="resolved"),
            full("spot", rule="aggregate_no_free_host"),
            status("stopped", "crashed", uri=None),
        ],
        2,
    ),
}
"""Of each rulebook: events that it acts on, events that it does not, how often it acts."""


@pytest.mark.slow
def test_what_rulebooks_act_on(running: Running, tmp_path: Path) -> None:
    """The rules as they are, on events that are given; their actions only say what they got."""
    sets = []
    for name, (acted_on, others, _times) in CASES.items():
        for rules in yaml.safe_load((RULEBOOKS / f"{name}.yml").read_text()):
            given = {"payload": [*others, *acted_on], "shutdown_after": 3}
            rules["sources"] = [{"eda.builtin.generic": given}]
            for rule in rules["rules"]:
                rule["action"] = {"debug": {"msg": f"acts: {name}"}}
            sets.append(rules)
    book = tmp_path / "all.yml"
    book.write_text(yaml.safe_dump(sets))
    with running(book) as output:
        wanted = {name: case[2] for name, case in CASES.items()}
        found: dict[str, int] = {}

        def told() -> bool:
            found.update({name: output().count(f"acts: {name}") for name in CASES})
            return found == wanted

        wait_for(told, lambda: f"{found}: {output()}")
        time.sleep(1)
        assert told(), found


def actions() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in RULEBOOKS.glob("*.yml"):
        for rules in yaml.safe_load(path.read_text()):
            for rule in rules["rules"]:
                yield path.name, rule["action"]


def test_every_rulebook_is_tried() -> None:
    assert sorted(CASES) == sorted(path.stem for path in RULEBOOKS.glob("*.yml"))


@pytest.mark.parametrize(("book", "action"), list(actions()))
def test_what_rulebooks_run_is_there(book: str, action: dict[str, Any]) -> None:
    for kind, call in action.items():
        name = call["name"].removeprefix("hostler.fleet.")
        if kind == "run_playbook":
            assert (ROOT / "playbooks" / f"{name}.yml").exists(), book
            continue
        documented = subprocess.run(
            [ROOT / ".venv" / "bin" / "ansible-doc", "--json", call["name"]],
            env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections")},
            capture_output=True,
            text=True,
            check=True,
        )
        options = json.loads(documented.stdout)[call["name"]]["doc"]["options"]
        assert set(call["module_args"]) <= set(options), book
