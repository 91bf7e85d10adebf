# SPDX-License-Identifier: Apache-2.0
"""Networks on a real libvirtd, with its dnsmasq."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libvirt
import pytest

from hostler import Fleet
from hostler.errors import PlanFailed
from hostler.models.libvirt_network import NetworkResult

from .rig import Rig
from .state import dump
from .test_defects import halting

RANGE = {"start": "10.222.0.10", "end": "10.222.0.20"}
HOST = {"mac": "52:54:00:00:00:01", "address": "10.222.0.11", "name": "one"}
WISH: dict[str, Any] = {"name": "lan", "address": "10.222.0.1/24", "dhcp_ranges": [RANGE]}
NIC = "<interface type='network'><source network='lan'/></interface>"


@pytest.fixture(autouse=True)
def _no_networks(host: Rig) -> Iterator[None]:
    """Leave the host with the networks that it had."""
    yield
    connection = libvirt.open(host.uri)
    for network in connection.listAllNetworks():
        if network.name() != "default":
            if network.isActive():
                network.destroy()
            if network.isPersistent():
                network.undefine()
    connection.close()


def run(fleet: Fleet, *, check: bool = False, **wish: Any) -> NetworkResult:
    (result,) = fleet.networks.run([{**WISH, **wish}], check=check)
    return result


@pytest.mark.parametrize("mode", ["nat", "routed", "isolated"])
def test_the_life_of_a_network(fleet: Fleet, host: Rig, mode: str) -> None:
    before = dump(host.uri)
    shown = run(fleet, check=True, mode=mode)
    assert dump(host.uri) == before
    made = run(fleet, mode=mode)
    assert made.error is None
    assert made.after == shown.after
    assert made.network
    assert (made.network.mode, made.network.active, made.network.autostart) == (mode, True, True)
    state = dump(host.uri)
    assert not run(fleet, mode=mode).changed
    assert run(fleet, check=True, state="absent").changed  # a peer's check mode removes it
    assert dump(host.uri) == state
    assert run(fleet, state="absent").changed
    assert not run(fleet, state="absent").changed
    assert dump(host.uri) == before


def test_reservations_change_while_it_runs(fleet: Fleet, connection: libvirt.virConnect) -> None:
    run(fleet)
    bridge = connection.networkLookupByName("lan").bridgeName()
    connection.defineXML(halting("web", NIC))
    made = run(fleet, dhcp_hosts=[HOST])
    assert made.error is None
    assert made.plan
    assert ["net-update" in command for command in made.plan.commands] == [True]
    network = connection.networkLookupByName("lan")
    for flags in (0, libvirt.VIR_NETWORK_XML_INACTIVE):
        assert HOST["mac"] in network.XMLDesc(flags)
    assert network.bridgeName() == bridge
    assert not run(fleet, dhcp_hosts=[HOST]).changed
    assert run(fleet, dhcp_ranges=[{**RANGE, "end": "10.222.0.30"}]).error is None
    assert "10.222.0.30" in network.XMLDesc()
    assert HOST["mac"] in network.XMLDesc()  # what is left out stays
    assert run(fleet, dhcp_hosts=[]).error is None
    assert HOST["mac"] not in network.XMLDesc()


def test_dhcp_is_added_to_a_network_without(fleet: Fleet) -> None:
    run(fleet, dhcp_ranges=[])
    made = run(fleet)
    assert made.error is None
    assert made.network
    assert made.network.dhcp_ranges == [RANGE]
    assert not run(fleet).changed


def test_bridges_and_portgroups(fleet: Fleet, connection: libvirt.virConnect) -> None:
    wish: dict[str, Any] = {"name": "switch", "mode": "openvswitch", "bridge": "br0"}
    wish["portgroups"] = [{"name": "red", "default": True, "vlans": [5]}]
    (made,) = fleet.networks.run([wish])
    assert made.error is None
    wish["portgroups"].append({"name": "trunk", "default": False, "vlans": [6, 7]})
    wish["portgroups"][0]["vlans"] = [8]
    (changed,) = fleet.networks.run([wish])
    assert changed.error is None
    assert changed.network
    assert changed.network.portgroups == wish["portgroups"]
    assert not fleet.networks.run([wish])[0].changed
    assert connection.networkLookupByName("switch").isActive()
    (plain,) = fleet.networks.run([{"name": "plain", "mode": "bridge", "bridge": "br0"}])
    assert plain.error is None
    assert [one.name for one in fleet.networks.list(["p*", "s*"])] == ["plain", "switch"]


def test_a_network_that_is_used_stays(
    fleet: Fleet, host: Rig, connection: libvirt.virConnect
) -> None:
    run(fleet)
    connection.defineXML(halting("web", NIC))
    before = dump(host.uri)
    wishes: list[dict[str, Any]] = [{"state": "absent"}, {"active": False}, {"mode": "routed"}]
    for wish in wishes:
        refused = run(fleet, **wish)
        assert refused.error_code == "conflict"
        assert "web" in str(refused.error)
    assert dump(host.uri) == before
    assert run(fleet, state="absent", force=True).error is None
    assert connection.lookupByName("web").name() == "web"


@pytest.mark.fault
def test_a_change_that_can_t_start_is_taken_back(fleet: Fleet, host: Rig) -> None:
    run(fleet)
    before = dump(host.uri)
    plan = fleet.networks.plan({"name": "lan", "bridge": "lo"})  # there is such a link already
    with pytest.raises(PlanFailed):
        plan.apply()
    assert dump(host.uri) == before
