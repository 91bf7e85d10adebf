# SPDX-License-Identifier: Apache-2.0
"""Several isolated libvirt hosts, reached in different ways."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from hostler import Fleet

from ..rig import HOSTS, ROOT

NET = f"10.94.{crc32(str(ROOT).encode()) % 250}"
"""A network of this checkout's own: another one's tests may run on this machine meanwhile."""
LOCK = ROOT / ".cache" / "rigs" / "sdk-hypervisors.lock"
NAMES = ("a", "b", "c")

MakePool = Callable[..., Fleet]


@dataclass(frozen=True)
class Hypervisors:
    """The hosts ``a`` (by TCP), ``b`` (by ssh too) and ``c`` (by TLS too)."""

    net: str

    @property
    def access(self) -> Path:
        """Where the keys and certificates are."""
        return ROOT / ".cache" / "rigs" / "libvirt" / self.net / "access"

    def tcp(self, host: str) -> str:
        """A host's URI by TCP."""
        return f"qemu+tcp://{self.address(host)}/system"

    def ssh(self, host: str, *, user: str = "root", client: str = "ssh") -> str:
        """A host's URI by ssh; ``client`` ``ssh-wrong`` has a key that it does not know."""
        return f"qemu+ssh://{user}@{self.address(host)}/system?command={self.access / client}"

    def tls(self, host: str, *, pki: str = "pki") -> str:
        """A host's URI by TLS; ``pki-wrong`` is of an authority that it does not trust."""
        return f"qemu+tls://{self.address(host)}/system?pkipath={self.access / pki}"

    def declared(self, *names: str, **settings: Any) -> dict[str, Any]:
        """Hosts for a fleet.yml; all of them where none is named."""
        room = {"cpu_overcommit": 32, **settings}
        return {name: {"uri": self.tcp(name), **room} for name in names or NAMES}

    def address(self, host: str) -> str:
        """A host's address."""
        return f"{self.net}.{NAMES.index(host) + 1}"

    def run(self, command: str, *words: str) -> str:
        """Run the rig's own script."""
        done = subprocess.run(
            [HOSTS, command, *words],
            env={**os.environ, "HOSTLER_RIG_NET": self.net},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{HOSTS} {command}: {done.stdout}{done.stderr}"
        return done.stdout
