# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the modules' documentation do what they say: tests/examples/libvirt.yml."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import examples
import libvirt
import pytest

from .conftest import Play
from .test_host_maintenance import URIS, VM, _two, sweep

__all__ = ["_two"]

VNC = "<graphics type='vnc' autoport='yes'/></devices>"
HOSTS = {"kvm1": URIS["a"], "kvm2": URIS["b"]}


@pytest.fixture
def environment(_two: None, environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "LIBVIRT_DEFAULT_URI": HOSTS["kvm1"]}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("door", ["local"])
def test_examples(play: Play, tmp_path: Path) -> None:
    sweep()
    with closing(libvirt.open(HOSTS["kvm1"])) as connection:
        for name in ("db-1", "web-1", "web1", "web2", "web3"):
            connection.defineXML(VM.format(name).replace("</devices>", VNC)).create()
    (tmp_path / "key.pub").write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHost me@example.com")
    (tmp_path / "image.raw").write_bytes(bytes(1 << 20))
    (tmp_path / "fleet.yml").write_text("{}")
    hostler = str(Path(sys.executable).parent / "hostler")
    told = play(examples.tasks("libvirt"), folder=str(tmp_path), uris=HOSTS, hostler=hostler)
    examples.check("libvirt", told)
    sweep()
