# SPDX-License-Identifier: Apache-2.0
"""How connections are opened and moves called: URIs, figures, what errors say to do."""

from __future__ import annotations

import libvirt
import pytest

from hostler.backends.libvirt.connection import silent
from hostler.backends.libvirt.migration import explained, figures_of
from hostler.models.vm_migration import MigrationFigures


@pytest.mark.parametrize(
    ("uri", "opened"),
    [
        ("qemu:///system", "qemu:///system"),
        ("qemu+tls://kvm1/system?pkipath=/a", "qemu+tls://kvm1/system?pkipath=/a"),
        ("qemu+ssh://root@kvm1/system", "qemu+ssh://root@kvm1/system?no_tty=1"),
        ("qemu+ssh://kvm1/system?", "qemu+ssh://kvm1/system?no_tty=1"),
        ("QEMU+SSH://[::1/system", "QEMU+SSH://[::1/system?no_tty=1"),
        (
            "qemu+ssh://kvm1/system?keyfile=/a%20b&command=x",
            "qemu+ssh://kvm1/system?keyfile=/a%20b&command=x&no_tty=1",
        ),
        ("qemu+ssh://kvm1/system?no_tty=0", "qemu+ssh://kvm1/system?no_tty=0"),
        ("qemu+ssh://kvm1/system?a=1&no_tty=", "qemu+ssh://kvm1/system?a=1&no_tty="),
        ("nonsense", "nonsense"),
    ],
)
def test_ssh_asks_nothing(uri: str, opened: str) -> None:
    assert silent(uri) == opened


MIB = 1 << 20


@pytest.mark.parametrize(
    ("stats", "figures", "text"),
    [
        (
            {"data_total": 100 * MIB, "data_processed": 30 * MIB, "data_remaining": 60 * MIB},
            MigrationFigures(40.0, 100 * MIB, 30 * MIB, 60 * MIB, 15 * MIB, None, 2.0),
            "40 %, 60 MiB left, 15 MiB/s",
        ),
        (
            {"data_total": 100 * MIB, "data_processed": 9, "memory_bps": 7 * MIB, "downtime": 30},
            MigrationFigures(100.0, 100 * MIB, 9, 0, 7 * MIB, 30, 2.0),
            "100 %, 0 MiB left, 7 MiB/s, downtime 30 ms",
        ),
        (
            {"data_total": MIB, "data_remaining": 2 * MIB},
            MigrationFigures(0.0, MIB, 0, 2 * MIB, None, None, 2.0),
            "0 %, 2 MiB left",
        ),
    ],
)
def test_figures(stats: dict[str, int], figures: MigrationFigures, text: str) -> None:
    assert figures_of(stats, 2.0) == figures
    assert figures.text == text


def test_an_error_says_what_to_do() -> None:
    error = libvirt.libvirtError("internal error: Postcopy is not supported")
    assert "vm.unprivileged_userfaultfd=1" in str(explained(error, "VM 'web'"))
