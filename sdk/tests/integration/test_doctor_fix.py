# SPDX-License-Identifier: Apache-2.0
"""doctor --fix on a host that was broken on purpose: it sees what is wrong, and mends it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hostler import Fleet

from .rig import Rig
from .test_defects import halting, run

pytestmark = pytest.mark.fault

SYSTEM = "qemu:///system"
CODE = "from hostler.cli import main; main()"
Findings = dict[str, dict[str, Any]]
Doctor = Callable[..., Findings]


@pytest.fixture
def doctor(host: Rig, tmp_path: Path) -> Doctor:
    """Run the doctor inside the host."""

    def examine(*words: str) -> Findings:
        env = [f"HOSTLER_STORE=sqlite:///{tmp_path}/journal.db", f"XDG_CACHE_HOME={tmp_path}"]
        command = [sys.executable, "-c", CODE, "doctor", "--json", "--uri", SYSTEM, *words]
        # Its exit code says whether something is wrong: that is for the test to judge.
        told = host.inside("sh", "-c", 'env "$@" 2>&1 || true', "sh", *env, *command)
        assert told.startswith("["), told
        return {finding["name"]: finding for finding in json.loads(told)}

    return examine


@pytest.fixture
def whole(host: Rig) -> Iterator[None]:
    """What is broken here is whole again for the tests after this one."""
    hosts = host.inside("cat", "/etc/hosts")
    yield
    host.inside("sh", "-c", 'printf "%s" "$1" > /etc/hosts', "sh", hosts)
    host.inside("chmod", "666", "/dev/kvm")
    host.kill_daemon()  # one that the doctor has started hears no TCP
    host.restart_daemon()


def mended(before: Findings, after: Findings, *names: str) -> None:
    """Hold that these were wrong, with commands that mend them, and are right now."""
    for name in names:
        assert before[name]["status"] != "ok", name
        assert before[name]["fix"], name
        assert after[name]["status"] == "ok", after[name]


@pytest.mark.usefixtures("whole")
def test_a_broken_machine(host: Rig, doctor: Doctor, fleet: Fleet) -> None:
    """QEMU may not open /dev/kvm, the host's name is unknown, network and pool are off."""
    host.inside("sh", "-c", "chgrp root /dev/kvm && chmod 600 /dev/kvm")
    host.inside("sh", "-c", "echo 127.0.0.1 localhost > /etc/hosts")
    host.inside("virsh", "net-destroy", "default")
    host.inside("virsh", "pool-destroy", "default")
    names = ("KVM device", "host name", "network", "pool")
    found = doctor()
    assert "may not open /dev/kvm" in found["KVM device"]["what"]
    assert "hostler-f is not resolved" in found["host name"]["what"]
    assert host.inside("stat", "-c", "%a", "/dev/kvm").strip() == "600"  # looking mends nothing
    after = doctor("--fix", "--yes")
    mended(found, after, *names)
    assert host.inside("stat", "-c", "%G %a", "/dev/kvm").split() == ["kvm", "660"]
    assert host.inside("getent", "hosts", "hostler-f").split()[0] == "127.0.1.1"
    run(fleet, name="v", xml=halting("v"), state="running")
    run(fleet, name="v", state="absent", force=True)


@pytest.mark.usefixtures("whole")
def test_a_libvirtd_that_does_not_run(host: Rig, doctor: Doctor) -> None:
    host.kill_daemon()
    found = doctor()
    assert found["libvirt"]["status"] == "fail"
    mended(found, doctor("--fix", "--yes"), "libvirt")
    assert SYSTEM in host.inside("virsh", "-c", SYSTEM, "uri")
