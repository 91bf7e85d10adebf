# SPDX-License-Identifier: Apache-2.0
"""Logs of a real guest: one boot serves all tests, in the order of this file."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from hostler import Fleet
from hostler.backends.libvirt.logs import GuestAgent
from hostler.config import FleetConfig
from hostler.errors import BackendError, Timeout, Unsupported
from hostler.models.log import VmLogs

from .rig import GUEST_INSIDE, ROOT, Rig
from .state import sweep

XML = f"""
<domain type='qemu'>
  <name>guest</name><memory unit='MiB'>192</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{GUEST_INSIDE}/vmlinuz</kernel><initrd>{GUEST_INSIDE}/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet panic=1 tsc=reliable</cmdline></os><features><acpi/></features>
  <devices>
    <serial type='pty'><log file='{{log}}' append='on'/></serial>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
  </devices>
</domain>
"""
JOURNALCTL = r"""#!/bin/sh
# prints journald's JSON, as systemd.io/JOURNAL_EXPORT_FORMATS has it
for word; do
  case $word in --lines=*) lines=${word#*=} ;; --after-cursor=*) after=${word#*=} ;; esac
done
awk -v after="$after" '!after || on; $0 ~ "\"" after "\"" {on = 1}' /run/journal |
  tail -n "${lines:-10000}"
"""
ENTRY = (
    '{"__CURSOR":"c%(n)d","__REALTIME_TIMESTAMP":"17697851%(n)02d000000","PRIORITY":"6",'
    '"SYSLOG_IDENTIFIER":"app","MESSAGE":"entry %(n)d"}'
)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fleet(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One fleet for all tests of this file, on a host that has the guest."""
    store = f"sqlite:///{tmp_path_factory.mktemp('journal')}/journal.db"
    sweep(rig.uri)
    with Fleet(FleetConfig(store=store), uri=rig.uri) as fleet:
        yield fleet
    sweep(rig.uri)


@pytest.fixture(scope="module")
def agent(rig: Rig, fleet: Fleet) -> GuestAgent:
    """The agent of a guest that is up."""
    with libvirt.open(rig.uri) as connection:
        connection.defineXML(XML.format(log="/var/lib/libvirt/images/guest.log")).create()
    agent = GuestAgent(fleet.hypervisor(), "guest", timeout=10)
    end = time.monotonic() + 60
    while True:
        try:
            agent.ask("guest-ping")
        except BackendError:
            assert time.monotonic() < end
            time.sleep(0.2)
        else:
            return agent


def inside(rig: Rig) -> str:
    """Where the host's own files are."""
    pid = (ROOT / ".cache/rigs/libvirt" / rig.net / rig.host / "init.pid").read_text().strip()
    return f"/proc/{pid}/root"


def sh(agent: GuestAgent, command: str) -> None:
    code, _, errors = agent.run("/bin/sh", "-c", command)
    assert code == 0, errors


def messages(found: VmLogs, source: str) -> list[str]:
    return [entry.message for entry in found.logs if entry.source == source]


@pytest.mark.usefixtures("agent")
def test_a_guest_without_a_journal(fleet: Fleet) -> None:
    """There is its console, in a storage pool; why there is nothing else is told."""
    found = fleet.logs.read("guest")
    assert any("hostler-guest: kernel up" in text for text in messages(found, "console"))
    assert {(e.timestamp, e.level, e.unit) for e in found.logs} == {(None, None, None)}
    assert [text.partition(":")[0] for text in found.warnings] == ["guest", "hypervisor"]
    assert "no journalctl" in found.warnings[0]
    with pytest.raises(Unsupported, match="only read on its own host"):
        fleet.logs.read("guest", sources=["hypervisor"])


def test_a_syslog(fleet: Fleet, agent: GuestAgent) -> None:
    sh(agent, "echo '2026-01-30T14:59:45Z box sshd[7]: hello' >/var/log/messages")
    (entry,) = fleet.logs.read("guest", sources=["guest"]).logs
    assert (entry.unit, entry.message) == ("sshd", "hello")
    assert str(entry.timestamp) == "2026-01-30 14:59:45+00:00"
    assert fleet.logs.read("guest", sources=["guest"], since="1h").logs == []


def test_a_journal(fleet: Fleet, agent: GuestAgent) -> None:
    sh(agent, f"cat >/usr/bin/journalctl <<'E'\n{JOURNALCTL}\nE\nchmod 755 /usr/bin/journalctl")
    for number in (1, 2, 3):
        sh(agent, f"echo '{ENTRY % {'n': number}}' >>/run/journal")
    found = fleet.logs.read("guest", lines=2, sources=["guest"])
    assert messages(found, "guest") == ["entry 2", "entry 3"]
    assert {(e.level, e.unit) for e in found.logs} == {("INFO", "app")}


def test_logs_that_grow(rig: Rig, agent: GuestAgent) -> None:
    program = [str(Path(sys.executable).parent / "hostler"), "--uri", rig.uri, "vm", "logs"]
    command = [*program, "guest", "--follow", "--json", "--lines", "1"]
    told: list[str] = []
    begun = threading.Event()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:

        def listen() -> None:
            for line in follower.stdout or ():
                told.append(json.loads(line)["message"])
                begun.set()

        threading.Thread(target=listen, daemon=True).start()
        assert begun.wait(30)
        sh(agent, f"echo '{ENTRY % {'n': 4}}' >>/run/journal; echo; echo printed >/dev/ttyS0")
        end = time.monotonic() + 30
        while not ("entry 4" in told and any("printed" in text for text in told)):
            assert time.monotonic() < end, told
            time.sleep(0.1)
        follower.send_signal(signal.SIGINT)
        assert follower.wait(10) == 0
    assert [text for text in told if text.startswith("entry")] == ["entry 3", "entry 4"]


@pytest.mark.usefixtures("agent")
def test_on_the_host_itself(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    there = inside(rig)
    monkeypatch.setattr("hostler.logs.service.QEMU_LOGS", f"{there}/var/log/libvirt/qemu")
    uri = f"qemu:///system?socket={there}/run/libvirt/libvirt-sock"
    with Fleet(FleetConfig(), uri=uri) as fleet:
        found = fleet.logs.read("guest", sources=["hypervisor"], lines=1000)
    (*_, started) = [entry for entry in found.logs if "starting up libvirt" in entry.message]
    assert started.timestamp


@pytest.mark.fault
def test_an_agent_that_hangs(fleet: Fleet, agent: GuestAgent) -> None:
    """It holds up nobody: the other logs are read."""
    sh(agent, "p=$(pidof qemu-ga); (sleep 1; kill -STOP $p) >/dev/null 2>&1 &")
    time.sleep(2)
    began = time.monotonic()
    found = fleet.logs.read("guest", agent_timeout=1)
    assert time.monotonic() - began < 10
    assert any("printed" in text for text in messages(found, "console"))
    assert found.warnings[0].startswith("guest: ")
    with pytest.raises(Timeout):
        fleet.logs.read("guest", sources=["guest"], agent_timeout=1)


@pytest.mark.fault
def test_a_vm_that_is_off(fleet: Fleet, rig: Rig, tmp_path: Path) -> None:
    """What it printed can still be read, but not where the file is in no storage pool."""
    with libvirt.open(rig.uri) as connection:
        domain = connection.lookupByName("guest")
        if domain.isActive():
            domain.destroy()
        assert messages(fleet.logs.read("guest"), "console")
        connection.defineXML(domain.XMLDesc().replace("/var/lib/libvirt/images/", f"{tmp_path}/"))
        with pytest.raises(Unsupported, match="in no storage pool"):
            fleet.logs.read("guest", sources=["console"])
        with pytest.raises(BackendError, match="no log can be read"):
            fleet.logs.read("guest")
