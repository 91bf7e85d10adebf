# SPDX-License-Identifier: Apache-2.0
"""What is planned for a network: tables."""

from __future__ import annotations

from typing import Any

import pytest

from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, InvalidInput, PolicyError
from hostler.models.libvirt_network import NetworkTask
from hostler.networks.network_xml import edit_network, read_network
from hostler.networks.planner import NetworkNow, plan_network
from hostler.networks.steps import DefineNetwork
from hostler.plan.plan import Plan

XML = """<network><name>lan</name><uuid>35bb2ad9-388a-cdfe-461a-b8907f6e53fe</uuid>
<forward mode='nat'><nat><port start='1024' end='65535'/></nat></forward>
<bridge name='virbr7' stp='off' delay='0'/><dns enable='no'/>
<ip address='10.5.0.1' netmask='255.255.255.0'><dhcp>
<range start='10.5.0.10' end='10.5.0.20'/>
<host mac='52:54:00:00:00:01' name='one' ip='10.5.0.11'/></dhcp></ip></network>"""
OVS = """<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/>
<virtualport type='openvswitch'/><portgroup name='red' default='yes'><vlan><tag id='5'/></vlan>
<bandwidth><inbound average='10'/></bandwidth></portgroup></network>"""
ON = NetworkNow(XML, active=True, autostart=True)
OFF = NetworkNow(XML, active=False, autostart=False)
USED = NetworkNow(XML, active=True, autostart=True, users=["web"])
PASSING = NetworkNow(XML, active=True, autostart=False, persistent=False)
SWITCH = NetworkNow(OVS, active=True, autostart=True, users=["web"])
ONE = {"mac": "52:54:00:00:00:01", "address": "10.5.0.11", "name": "one"}
TWO = {"mac": "52:54:00:00:00:02", "address": "10.5.0.12"}
RANGE = {"start": "10.5.0.10", "end": "10.5.0.20"}
RED = {"name": "red", "default": True, "vlans": [5]}


def plan(now: NetworkNow | None, policy: Policy | None = None, **wish: Any) -> Plan:
    task = NetworkTask.parse({"name": "lan", **wish})
    return plan_network("test:///default", task, now, policy or Policy())


def kinds(made: Plan) -> list[str]:
    return [
        " ".join([step.kind, *(getattr(step, f, "") for f in ("command_word", "section"))])
        .removeprefix("network.")
        .strip()
        for step in made.steps
    ]


@pytest.mark.parametrize(
    ("now", "wish", "steps"),
    [
        (None, {"address": "10.5.0.1/24"}, ["define", "start", "autostart"]),
        (None, {"mode": "isolated", "active": False, "autostart": False}, ["define"]),
        (None, {"mode": "bridge", "bridge": "br0"}, ["define", "start", "autostart"]),
        (None, {"state": "absent"}, []),
        (ON, {}, []),
        (ON, {"address": "10.5.0.1/24", "mode": "nat", "dhcp_ranges": [RANGE]}, []),
        (ON, {"dhcp_hosts": [ONE]}, []),
        (USED, {"dhcp_hosts": [ONE, TWO]}, ["update add ip-dhcp-host"]),
        (USED, {"dhcp_hosts": []}, ["update delete ip-dhcp-host"]),
        (
            USED,
            {"dhcp_ranges": [{**RANGE, "end": "10.5.0.30"}]},
            ["update delete ip-dhcp-range", "update add ip-dhcp-range"],
        ),
        (USED, {"dhcp_ranges": [], "dhcp_hosts": []},
            ["update delete ip-dhcp-range", "update delete ip-dhcp-host"]),
        (SWITCH, {"portgroups": [RED]}, []),
        (SWITCH, {"portgroups": [{**RED, "vlans": [5, 6]}]}, ["update modify portgroup"]),
        (
            SWITCH,
            {"portgroups": [RED, {"name": "blue", "vlans": [7]}]},
            ["update add portgroup"],
        ),
        (ON, {"mode": "routed"}, ["stop", "define", "start"]),
        (ON, {"domain": "lan.example"}, ["stop", "define", "start"]),
        (ON, {"active": False}, ["stop"]),
        (OFF, {"dhcp_hosts": [TWO]}, ["define"]),
        (OFF, {"active": True, "autostart": True}, ["start", "autostart"]),
        (PASSING, {}, ["define"]),
        (ON, {"state": "absent"}, ["stop", "undefine"]),
        (OFF, {"state": "absent"}, ["undefine"]),
        (PASSING, {"state": "absent"}, ["stop"]),
        (USED, {"state": "absent", "force": True}, ["stop", "undefine"]),
    ],
)  # fmt: skip
def test_steps(now: NetworkNow | None, wish: dict[str, Any], steps: list[str]) -> None:
    made = plan(now, **wish)
    assert kinds(made) == steps
    assert all(step.command.startswith("virsh -c test:///default net-") for step in made.steps)


@pytest.mark.parametrize(
    ("now", "wish", "error", "text"),
    [
        (None, {"mode": "bridge"}, InvalidInput, "needs a bridge"),
        (None, {"mode": "openvswitch"}, InvalidInput, "needs a bridge"),
        (None, {"dhcp_ranges": [RANGE]}, InvalidInput, "DHCP needs an address"),
        (ON, {"address": "10.6.0.1/24"}, InvalidInput, "not in the network of 10.6.0.1/24"),
        (ON, {"vlans": [5]}, InvalidInput, "knows no VLANs"),
        (ON, {"mode": "bridge"}, InvalidInput, "can have none"),
        (USED, {"state": "absent"}, Conflict, "connected to it: web"),
        (USED, {"active": False}, Conflict, "connected to it: web"),
        (USED, {"mode": "routed"}, Conflict, "connected to it: web"),
        (SWITCH, {"vlans": [5]}, Conflict, "connected to it: web"),
    ],
)
def test_what_is_refused(
    now: NetworkNow | None, wish: dict[str, Any], error: type[HostlerError], text: str
) -> None:
    with pytest.raises(error, match=text) as caught:
        plan(now, **wish)
    assert "network 'lan' on test:///default" in str(caught.value)


@pytest.mark.parametrize(
    "wish",
    [
        {"address": "10.0.0.0/24"},
        {"address": "10.0.0.1"},
        {"address": "fe80::1/64"},
        {"dhcp_ranges": [{"start": "a", "end": "b"}]},
        {"dhcp_hosts": [TWO, TWO]},
        {"portgroups": [RED, {**RED, "name": "blue"}]},
        {"vlans": [4095]},
        {"mode": "bridge", "bridge": "br0", "address": "10.0.0.1/24"},
    ],
)
def test_what_makes_no_sense(wish: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        NetworkTask.parse({"name": "lan", **wish})


def test_what_is_not_modelled_stays() -> None:
    define = plan(OFF, mode="routed", address="10.5.0.1/25", dhcp_hosts=[ONE, TWO]).steps[0]
    assert isinstance(define, DefineNetwork)
    for kept in ('<port start="1024"', 'stp="off"', '<dns enable="no"/>'):
        assert kept in define.xml
    group = edit_network(OVS, "lan", {"portgroups": [{**RED, "vlans": [6]}]})
    assert '<inbound average="10"/>' in group


def test_a_trunk_is_written_as_one() -> None:
    xml = edit_network(OVS, "lan", {"vlans": [5, 6]})
    assert '<vlan trunk="yes"><tag id="5"/><tag id="6"/></vlan>' in xml
    assert read_network(xml)["vlans"] == [5, 6]
    assert "trunk" not in edit_network(xml, "lan", {"vlans": [6]})


def test_a_read_only_fleet_changes_nothing() -> None:
    assert not plan(ON, Policy(read_only=True)).changed
    with pytest.raises(PolicyError):
        plan(ON, Policy(read_only=True), active=False)
