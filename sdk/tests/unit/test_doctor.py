# SPDX-License-Identifier: Apache-2.0
"""The doctor's judgements, its probe and its fixes, without touching this machine's libvirt."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostler import Fleet
from hostler.doctor import hypervisor, kvm, machine
from hostler.doctor.examine import examine, is_here
from hostler.doctor.finding import Finding, Fix, ok
from hostler.errors import HostlerError

pytestmark = pytest.mark.slow

GIB = 1024**3
QEMU = "qemu-system-x86_64"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOSTLER_STORE", f"sqlite:///{tmp_path}/hostler.db")


@pytest.fixture(scope="module")
def emulator() -> str:
    found = shutil.which(QEMU)
    assert found, f"there is no {QEMU}; run: make setup"
    return found


def test_the_probe_guest_runs_on_a_whole_processor(emulator: str) -> None:
    """Plain QEMU emulates every x86 processor faithfully: there the guest must come through."""
    assert kvm.probe(emulator, accelerator="tcg", seconds=30) is True


def test_the_probe_sees_a_guest_that_never_comes_through(
    emulator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jump_to_itself = b"\xeb\xfe"
    monkeypatch.setattr(kvm, "_CODE", jump_to_itself)
    assert kvm.probe(emulator, accelerator="tcg", seconds=1) is False


def test_the_probe_says_unknown_when_qemu_cannot_start(emulator: str) -> None:
    assert kvm.probe(emulator, accelerator="nonsense") is None
    assert kvm.probe("/nowhere/qemu-system-x86_64") is None


def test_the_guest_is_rom_with_its_code_at_the_reset_vector() -> None:
    rom = kvm.rom_image()
    assert len(rom) == 65536
    assert rom[0xFFF0] == 0xE9
    jump = int.from_bytes(rom[0xFFF1:0xFFF3], "little")
    assert (0xFFF3 + jump) % 65536 == 0


def test_the_answer_is_kept(emulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def probe(_: str, *, seconds: float) -> bool | None:
        asked.append(seconds)
        return answers.pop(0)

    monkeypatch.setattr(kvm, "probe", probe)
    monkeypatch.setattr(Path, "exists", lambda _: True)
    answers: list[bool | None] = [None, False]
    assert kvm.kvm_works(emulator) is None  # not an answer: asked again
    assert kvm.kvm_works(emulator) is False
    assert kvm.kvm_works(emulator) is False
    assert len(asked) == 2
    (tmp_path / "hostler" / "kvm-probe.json").write_text("{broken")
    answers = [True]
    assert kvm.kvm_works(emulator) is True
    kvm.forget()
    answers = [False]
    assert kvm.kvm_works(emulator) is False
    assert kvm.kvm_works("/usr/bin/qemu-system-aarch64") is None


@pytest.mark.parametrize(
    ("mode", "owner", "group", "user", "groups", "may"),
    [
        (0o600, 0, 0, 107, {107, 108}, False),
        (0o660, 0, 108, 107, {107, 108}, True),
        (0o660, 0, 108, 107, {107}, False),
        (0o640, 0, 108, 107, {108}, False),
        (0o666, 0, 0, 107, set(), True),
        (0o600, 107, 0, 107, set(), True),
        (0o066, 107, 107, 107, {107}, False),
        (0o000, 0, 0, 0, set(), True),
    ],
)
def test_who_may_open_a_device(
    mode: int, owner: int, group: int, user: int, groups: set[int], may: bool
) -> None:
    device = os.stat_result((stat.S_IFCHR | mode, 0, 0, 0, owner, group, 0, 0, 0, 0))
    assert machine.may_open(device, user, groups) is may


def test_a_closed_kvm_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "kvm"
    monkeypatch.setattr(machine, "KVM", device)
    assert machine.kvm_device(107, 107).status == "warn"
    device.touch(mode=0o600)
    device.chmod(0o600)
    stranger = os.getuid() + 4_000_000
    closed = machine.kvm_device(stranger, stranger)
    assert closed.status == "fail"
    assert str(stranger) in closed.what
    assert closed.fix is None  # that user is in no group kvm: opening it to kvm would not help
    assert machine.kvm_device(os.getuid(), os.getgid()).status == "ok"
    assert machine.kvm_device(None, None).status == "ok"


def test_a_host_name_that_is_resolved() -> None:
    assert machine.host_name("localhost").status == "ok"


def test_a_host_name_that_is_not() -> None:
    found = machine.host_name("no-such-name.invalid", seconds=3)
    assert found.status == "warn"
    assert "no-such-name.invalid" in found.what
    assert found.fix
    assert found.fix.shown == [
        "sh -c 'echo \"$1\" >>/etc/hosts' sh '127.0.1.1 no-such-name.invalid'"
    ]


def test_a_host_name_that_is_data_not_shell() -> None:
    fix = machine.host_name("x; touch /nowhere", seconds=3).fix
    assert fix
    assert fix.commands[0][-1] == "127.0.1.1 x; touch /nowhere"


def test_a_slow_resolver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "getent"
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    began = time.monotonic()
    assert machine.host_name("localhost", seconds=0.3).status == "warn"
    assert time.monotonic() - began < 10


def test_orphans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "libvirtd_parent", lambda: None)
    assert machine.reaping(seconds=5).status in ("ok", "warn")
    assert machine.reaping(seconds=-1).status == "warn"  # nobody reaps before it is dead
    monkeypatch.setattr(machine, "libvirtd_parent", lambda: 42)
    assert "process 42" in machine.reaping().what


CAPABILITIES = """
<capabilities>
  <host><cpu><arch>x86_64</arch></cpu>
    <secmodel><model>apparmor</model></secmodel>
    <secmodel><model>dac</model><doi>0</doi><baselabel type='kvm'>+64055:+108</baselabel></secmodel>
  </host>
  <guest><os_type>hvm</os_type>
    <arch name='i686'><emulator>/usr/bin/qemu-system-i386</emulator></arch></guest>
  <guest><os_type>hvm</os_type>
    <arch name='x86_64'><emulator>/usr/bin/qemu-system-x86_64</emulator></arch></guest>
</capabilities>
"""


def test_qemu_of_capabilities() -> None:
    assert hypervisor.qemu_of(CAPABILITIES) == hypervisor.QemuOf(
        "/usr/bin/qemu-system-x86_64", 64055, 108
    )
    assert hypervisor.qemu_of("<capabilities/>") == hypervisor.QemuOf(None, None, None)


@pytest.mark.parametrize(
    ("capacity", "available", "status"),
    [
        (100 * GIB, 50 * GIB, "ok"),
        (100 * GIB, 10 * GIB, "ok"),
        (100 * GIB, 10 * GIB - 1, "warn"),
        (5 * GIB, GIB - 1, "fail"),
        (0, 0, "ok"),
    ],
)
def test_space(capacity: int, available: int, status: str) -> None:
    assert hypervisor.space_of("default", capacity, available).status == status


def test_firmware_and_tpm() -> None:
    have = """<domainCapabilities>
      <os><enum name='firmware'><value>bios</value><value>efi</value></enum></os>
      <devices><tpm><enum name='backendModel'><value>emulator</value></enum></tpm></devices>
    </domainCapabilities>"""
    assert [f.status for f in hypervisor.firmware_and_tpm(have)] == ["ok", "ok"]
    missing = hypervisor.firmware_and_tpm("<domainCapabilities/>")
    assert [(f.name, f.status) for f in missing] == [("UEFI", "warn"), ("TPM", "warn")]


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    with Fleet(uri="test:///default") as opened:
        yield opened


def test_networks_and_pools(fleet: Fleet) -> None:
    connection = fleet.hypervisor().write()
    net = connection.networkLookupByName("default")
    net.setAutostart(1)
    assert hypervisor.network(connection, "test:///default").status == "ok"
    net.destroy()
    try:
        found = hypervisor.network(connection, "test:///default")
    finally:
        net.create()
    assert found.status == "fail"
    assert found.fix
    assert found.fix.shown == ["virsh -c test:///default net-start default"]
    assert hypervisor.pool(connection, "test:///default").status == "warn"
    assert [f.status for f in hypervisor.space(connection)] == ["ok"]


def test_examine_gives_a_finding_for_everything(fleet: Fleet) -> None:
    found = list(examine(fleet.hypervisor, fleet.journal, fleet.uri))
    names = [f.name for f in found]
    assert names == ["journal", "libvirt", "versions", "network", "pool", "pool default-pool"]


def test_examine_a_host_that_does_not_answer() -> None:
    with Fleet(uri="qemu+tcp://127.0.0.1:1/system") as fleet:
        found = list(examine(fleet.hypervisor, fleet.journal, fleet.uri))
    assert found[-1].name == "libvirt"
    assert found[-1].status == "fail"
    assert found[-1].fix is None


def test_examine_without_a_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOSTLER_STORE", f"sqlite:///{tmp_path}/file/hostler.db")
    with Fleet(uri="test:///default") as fleet:
        found = {f.name: f for f in examine(fleet.hypervisor, fleet.journal, fleet.uri)}
    assert found["journal"].status == "fail"
    assert found["libvirt"].status == "ok"


@pytest.mark.parametrize(
    ("uri", "here"),
    [
        ("qemu:///system", True),
        ("qemu:///session", True),
        ("qemu+ssh://root@host/system", False),
        ("qemu+tcp://host/system", False),
        ("test:///default", False),
        ("nonsense", False),
    ],
)
def test_which_hosts_are_this_machine(uri: str, here: bool) -> None:
    assert is_here(uri) is here


def test_a_fix_runs_its_commands_in_order(tmp_path: Path) -> None:
    file = tmp_path / "a file"
    fix = Fix((("touch", str(file)), ("chmod", "0600", str(file))))
    assert fix.shown == [f"touch '{file}'", f"chmod 0600 '{file}'"]
    fix.run()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("sh", "-c", "echo not allowed >&2; exit 1"), "not allowed"),
        (("false",), "exit code 1"),
        (("/nowhere/program",), "could not be run"),
    ],
)
def test_a_fix_that_fails_stops(tmp_path: Path, command: tuple[str, ...], says: str) -> None:
    after = tmp_path / "after"
    with pytest.raises(HostlerError, match=says):
        Fix((command, ("touch", str(after)))).run()
    assert not after.exists()


def test_findings() -> None:
    assert ok("x", "fine") == Finding("x", "ok", "fine", "", None)
    assert machine.start_libvirt().shown[-1].startswith(("systemctl", "libvirtd"))
