# SPDX-License-Identifier: Apache-2.0
"""One isolated libvirt host, for what may not be done to a host that others use."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

ROOT = Path(__file__).resolve().parents[3]
GUEST = ROOT / ".cache" / "guest"
HOSTS = ROOT / "tests" / "rigs" / "libvirt" / "hosts.sh"
NET = f"10.91.{crc32(str(ROOT).encode()) % 250}"
"""A network of this checkout's own: another one's tests may run on this machine meanwhile."""
LOCK = ROOT / ".cache" / "rigs" / "sdk-integration.lock"
GUEST_INSIDE = "/var/lib/libvirt/guest"
"""Where a host of the rig has the files of GUEST."""


@dataclass(frozen=True)
class Rig:
    """A host of the rig."""

    net: str
    host: str

    @property
    def uri(self) -> str:
        """The host's URI from outside."""
        return f"qemu+tcp://{self.net}.1/system"

    def hosts(self, command: str, *words: str) -> str:
        """Run the rig's own script."""
        done = subprocess.run(
            [HOSTS, command, self.host, *words],
            env={**os.environ, "HOSTLER_RIG_NET": self.net},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{HOSTS} {command}: {done.stdout}{done.stderr}"
        return done.stdout

    def inside(self, *words: str) -> str:
        """Run a command inside the host."""
        return self.hosts("exec", *words)

    def kill_daemon(self) -> None:
        """Kill libvirtd (-9); its VMs live on."""
        self.hosts("kill-daemon")

    @contextmanager
    def frozen_daemon(self) -> Iterator[None]:
        """Stop libvirtd as by SIGSTOP: it holds its connections, and answers nothing."""
        pid = self.inside("cat", "/run/libvirtd.pid").strip()
        self.inside("kill", "-STOP", pid)
        try:
            yield
        finally:
            self.inside("kill", "-CONT", pid)

    def restart_daemon(self) -> None:
        """Start libvirtd again."""
        self.hosts("restart-daemon")
