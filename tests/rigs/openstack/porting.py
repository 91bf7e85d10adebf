# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of tests that connect a server to the storage network, and what they read there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from rigs.openstack.api import Cloud

if TYPE_CHECKING:
    from hostler.models.network import PortResult

SERVER, OTHER, NETWORK = "a-train-2", "a-train-1", "storage-network"
NAME = f"{SERVER}-{NETWORK}-port"
TASK: dict[str, Any] = {"server": SERVER, "network": NETWORK}

Ports = list[dict[str, Any]]
Seen = Callable[[], Ports]


@pytest.fixture(scope="session")
def cloud() -> Cloud:
    """The rig, past our own client."""
    return Cloud()


@pytest.fixture(scope="session")
def storage(cloud: Cloud) -> str:
    """The storage network's id."""
    networks = cloud.get("neutron", "/v2.0/networks")["networks"]
    return str(next(one["id"] for one in networks if one["name"] == NETWORK))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rig is quicker than a real cloud."""
    monkeypatch.setattr("hostler.openstack.ports.POLL", 0.1)


@pytest.fixture(autouse=True)
def seen(cloud: Cloud, storage: str) -> Iterator[Seen]:
    """Read the ports of the storage network; none is there before the test and after it."""

    def read() -> Ports:
        found: Ports = cloud.get("neutron", "/v2.0/ports")["ports"]
        return [port for port in found if port["name"] or port["network_id"] == storage]

    assert read() == []
    yield read
    for port in read():
        remove(cloud, port)
    assert read() == []


def remove(cloud: Cloud, port: dict[str, Any]) -> None:
    """Detach a port and delete it, whoever is at it just now."""
    deadline = time.monotonic() + 20
    if port["binding:vif_type"] == "binding_failed":  # Nova does not know it
        cloud.delete("neutron", f"/v2.0/ports/{port['id']}", missing_ok=True)
        return
    if port["device_id"]:
        path = f"/v2.1/servers/{port['device_id']}/os-interface/{port['id']}"
        cloud.delete("nova", path, missing_ok=True)
    while True:
        found = cloud.get("neutron", "/v2.0/ports", id=port["id"])["ports"]
        if not any(one["device_id"] for one in found):
            break
        assert time.monotonic() < deadline
        time.sleep(0.1)
    cloud.delete("neutron", f"/v2.0/ports/{port['id']}", missing_ok=True)


def id_of(cloud: Cloud, name: str) -> str:
    found = cloud.get("nova", "/v2.1/servers", all_tenants=1)["servers"]
    return str(next(one["id"] for one in found if one["name"] == name))


def done(result: PortResult) -> PortResult:
    assert result.error is None, result.error
    return result
