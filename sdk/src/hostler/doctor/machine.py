# SPDX-License-Identifier: Apache-2.0
"""What the doctor looks at on this machine: /dev/kvm, the host's name, who reaps dead processes."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import stat
import subprocess
import time
from pathlib import Path

from hostler.doctor.finding import Finding, Fix, fail, ok, warn
from hostler.doctor.kvm import kvm_works

KVM = Path("/dev/kvm")
NAME_SECONDS = 2.0
REAP_SECONDS = 2.0


def kvm_device(user: int | None, group: int | None) -> Finding:
    """Look whether libvirt's QEMU may open /dev/kvm.

    Where it may not, libvirt drops what it knows of QEMU and probes it again in every define.

    Args:
        user: the number of the user that libvirt runs QEMU as; None where that is not known.
        group: that of its group.
    """
    try:
        found = KVM.stat()
    except FileNotFoundError:
        return warn(
            "KVM device",
            "there is no /dev/kvm, so guests run under plain QEMU, some ten times slower",
            "Switch virtualisation on in the firmware setup (nested in the outer VM), then run "
            "'modprobe kvm_intel' or 'modprobe kvm_amd'.",
        )
    if user is None or may_open(found, user, _groups(user, group)):
        return ok("KVM device", "/dev/kvm is there, and QEMU may open it")
    name = _user_name(user)
    return fail(
        "KVM device",
        f"QEMU's user {name} may not open /dev/kvm, so every define and start takes seconds",
        "Give /dev/kvm to the group kvm.",
        _open_kvm(user, group),
    )


def may_open(found: os.stat_result, user: int, groups: set[int]) -> bool:
    """Whether a user may read and write a file by its mode bits."""
    if user == 0:
        return True
    read_write = {"user": stat.S_IRUSR | stat.S_IWUSR, "group": stat.S_IRGRP | stat.S_IWGRP}
    if user == found.st_uid:
        wanted = read_write["user"]
    elif found.st_gid in groups:
        wanted = read_write["group"]
    else:
        wanted = stat.S_IROTH | stat.S_IWOTH
    return found.st_mode & wanted == wanted


def kvm_guests(emulator: str | None) -> Finding:
    """Run a tiny guest under KVM (its answer is kept)."""
    works = kvm_works(emulator) if emulator and KVM.exists() else None
    if works:
        return ok("KVM guests", "a guest runs under KVM")
    if works is None:
        return warn(
            "KVM guests",
            "whether guests run under KVM could not be found out",
            "Run this as root, or as a member of the group kvm.",
        )
    return warn(
        "KVM guests",
        "KVM starts guests here but emulates each of their instructions, so they never come up; "
        "virt_type 'auto' takes plain QEMU",
        "Switch nested virtualisation on in the outer hypervisor, if this is a VM.",
    )


def host_name(name: str | None = None, seconds: float = NAME_SECONDS) -> Finding:
    """Look whether the host's own name is resolved quickly: libvirt asks at each start of a VM."""
    name = name or socket.gethostname()
    began = time.monotonic()
    try:
        ran = subprocess.run(
            ["getent", "ahosts", name], capture_output=True, timeout=seconds, check=False
        )
        known = ran.returncode == 0
    except subprocess.TimeoutExpired:
        known = False
    except FileNotFoundError:
        return warn(
            "host name", "there is no 'getent' to ask with", "Install the C library's tools."
        )
    took = time.monotonic() - began
    if known and took < seconds / 2:
        return ok("host name", f"{name} is resolved in {took:.2f} s")
    how = f"takes {took:.1f} s to resolve" if known else f"is not resolved within {took:.1f} s"
    append = ("sh", "-c", 'echo "$1" >>/etc/hosts', "sh", f"127.0.1.1 {name}")
    return warn(
        "host name",
        f"the host's own name {name} {how}, which delays every start of a VM",
        "Put it into /etc/hosts.",
        Fix((append,)),
    )


def reaping(seconds: float = REAP_SECONDS) -> Finding:
    """Look whether dead orphans are reaped: libvirt takes an unreaped QEMU for one that runs."""
    keeper = libvirtd_parent()
    if keeper:
        return ok("orphans", f"libvirtd has a parent of its own: process {keeper}")
    script = "sleep 0.1 & echo $!"
    orphan = int(subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout)
    began = time.monotonic()
    while time.monotonic() - began < seconds + 0.1:
        if not Path(f"/proc/{orphan}").exists():
            return ok("orphans", "dead processes are reaped")
        time.sleep(0.02)
    return warn(
        "orphans",
        f"process 1 does not reap dead processes within {seconds:g} s, so libvirt waits for each "
        "VM that it ends",
        "In a container use an init that reaps: 'docker run --init', tini.",
    )


def libvirtd_parent() -> int | None:
    """Return libvirtd's parent process where that is not process 1."""
    for file in (Path("/run/libvirtd.pid"), Path("/run/virtqemud.pid")):
        try:
            daemon = int(file.read_text())
            status = Path(f"/proc/{daemon}/stat").read_text()
        except (OSError, ValueError):
            continue
        parent = int(status.rpartition(")")[2].split()[1])
        return parent if parent > 1 else None
    return None


def start_libvirt() -> Fix:
    """Return what starts libvirt here."""
    if Path("/run/systemd/system").is_dir():
        return Fix((("systemctl", "enable", "--now", "libvirtd"),))
    return Fix((("virtlogd", "--daemon"), ("libvirtd", "--daemon")))


def _groups(user: int, group: int | None) -> set[int]:
    groups = set() if group is None else {group}
    try:
        entry = pwd.getpwuid(user)
    except KeyError:
        return groups
    return groups | set(os.getgrouplist(entry.pw_name, entry.pw_gid))


def _user_name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _open_kvm(user: int, group: int | None) -> Fix | None:
    """Give /dev/kvm to the group kvm, where there is one and QEMU's user is in it."""
    try:
        number = grp.getgrnam("kvm").gr_gid
    except KeyError:
        return None
    commands = (("chgrp", "kvm", str(KVM)), ("chmod", "0660", str(KVM)))
    return Fix(commands) if number in _groups(user, group) else None
