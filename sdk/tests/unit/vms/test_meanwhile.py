# SPDX-License-Identifier: Apache-2.0
"""A VM that somebody else starts, or that dies, between the question and the call."""

from __future__ import annotations

from collections.abc import Iterator

import libvirt
import pytest

from hostler.backends.libvirt import Hypervisor
from hostler.errors import BackendError

VM = "test"  # the one that runs on every test:///default


@pytest.fixture
def hypervisor() -> Iterator[Hypervisor]:
    made = Hypervisor("test:///default")
    yield made
    made.close()


def test_it_dies_before_its_power_is_cut(
    hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = libvirt.virDomain.destroy

    def late(domain: libvirt.virDomain) -> int:
        real(domain)
        return int(real(domain))

    monkeypatch.setattr(libvirt.virDomain, "destroy", late)
    hypervisor.domains.destroy(VM)
    assert hypervisor.domains.status(VM) == "stopped"


def test_it_was_started_before_it_is(
    hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = libvirt.virDomain.createWithFlags

    def late(domain: libvirt.virDomain, flags: int) -> int:
        real(domain, flags)
        return int(real(domain, flags))

    hypervisor.domains.destroy(VM)
    monkeypatch.setattr(libvirt.virDomain, "createWithFlags", late)
    hypervisor.domains.start(VM)
    assert hypervisor.domains.status(VM) == "running"


def test_power_that_is_not_cut_is_an_error(
    hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_domain: libvirt.virDomain) -> int:
        raise libvirt.libvirtError("no")

    monkeypatch.setattr(libvirt.virDomain, "destroy", refuses)
    with pytest.raises(BackendError):
        hypervisor.domains.destroy(VM)
