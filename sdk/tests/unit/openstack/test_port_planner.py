# SPDX-License-Identifier: Apache-2.0
"""What is planned for a server's port, by what is there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, InvalidInput, NotFound, PolicyError
from hostler.models.network import NetworkView, PortTask, PortView, SubnetView, port_name
from hostler.models.nova import Server
from hostler.openstack.planner import PortWorld, plan_port
from hostler.openstack.steps import CreatePort
from hostler.plan.plan import Plan

SERVER = Server(
    id="s-1",
    name="web",
    status="ACTIVE",
    task_state=None,
    host="host-1",
    zone=None,
    project="p-1",
    flavor="small",
    extra_specs={},
    image=None,
    created="2026-01-01T00:00:00Z",
    updated=None,
)
SUBNET = SubnetView(id="sub-1", name="one", network_id="n-1", cidr="10.0.0.0/24")
NETWORK = NetworkView(
    id="n-1",
    name="storage",
    status="ACTIVE",
    shared=True,
    external=False,
    project_id="p-0",
    subnets=(SUBNET,),
)
PORT = PortView(
    id="port-1",
    name="web-storage-port",
    network_id="n-1",
    project_id="p-1",
    mac="fa:16:3e:00:00:01",
    addresses=("10.0.0.7",),
    status="DOWN",
    security_groups=("g-1",),
)
ATTACHED = PORT.model_copy(update={"server_id": "s-1"})
FOREIGN = PORT.model_copy(update={"server_id": "s-2"})
BROKEN = ATTACHED.model_copy(update={"vif_type": "binding_failed"})
ELSEWHERE = PORT.model_copy(update={"network_id": "n-2", "id": "port-9"})
WORLD = PortWorld("box", SERVER, NETWORK, (), {"default": "g-1", "nfs": "g-2"})


def world(*ports: PortView, **more: Any) -> PortWorld:
    return replace(WORLD, ports=ports, **more)


def plan(there: PortWorld, **task: Any) -> Plan:
    wanted = PortTask(server="web", network="storage", **task)
    return plan_port(wanted, there, Policy())


def kinds(planned: Plan) -> list[str]:
    return [step.kind.removeprefix("openstack.port.") for step in planned.steps]


@pytest.mark.parametrize(
    ("state", "ports", "expected"),
    [
        ("present", [], ["create", "attach"]),
        ("present", [ELSEWHERE], ["create", "attach"]),
        ("present", [PORT], ["attach"]),
        ("present", [BROKEN], ["attach"]),
        ("present", [ATTACHED], []),
        ("absent", [], []),
        ("absent", [ELSEWHERE], []),
        ("absent", [PORT], ["delete"]),
        ("absent", [BROKEN], ["detach", "delete"]),
        ("absent", [ATTACHED], ["detach", "delete"]),
    ],
)
def test_steps(state: str, ports: list[PortView], expected: list[str]) -> None:
    planned = plan(world(*ports), state=state)
    assert kinds(planned) == expected
    assert planned.changed == bool(expected)
    assert (planned.before == planned.after) == (not expected)


ATTACH = "attach port web-storage-port to server web"


@pytest.mark.parametrize(
    ("ports", "says"),
    [
        ([], f"make port web-storage-port in network storage; {ATTACH}"),
        ([PORT], f"{ATTACH} (the port was there, and no server had it)"),
        ([ATTACHED], "port web-storage-port is attached"),
    ],
)
def test_a_port_that_was_there_is_told(ports: list[PortView], says: str) -> None:
    assert plan(world(*ports)).summary == says


def test_the_commands_are_real_ones() -> None:
    task = {"fixed_ip": "10.0.0.20", "mac": "fa:16:3e:00:00:02", "security_groups": ("nfs",)}
    assert plan(world(), **task).commands[0] == (
        "openstack port create --network storage --project p-1"
        " --fixed-ip subnet=sub-1,ip-address=10.0.0.20 --mac-address fa:16:3e:00:00:02"
        " --security-group g-2 web-storage-port"
    )
    assert plan(world(PORT)).commands == ["openstack server add port s-1 web-storage-port"]
    assert plan(world(), security_groups=()).commands[0] == (
        "openstack port create --network storage --project p-1 --no-security-group web-storage-port"
    )
    assert plan(world(ATTACHED), state="absent").commands == [
        "openstack server remove port s-1 web-storage-port",
        "openstack port delete web-storage-port",
    ]


@pytest.mark.parametrize(
    ("task", "body"),
    [
        ({}, {}),
        ({"subnet": "one"}, {"fixed_ips": [{"subnet_id": "sub-1"}]}),
        ({"fixed_ip": "::1"}, {"fixed_ips": [{"subnet_id": "sub-1", "ip_address": "::1"}]}),
        ({"security_groups": ()}, {"security_groups": []}),
        ({"security_groups": ("default", "g-2")}, {"security_groups": ["g-1", "g-2"]}),
    ],
)
def test_what_neutron_is_sent(task: dict[str, Any], body: dict[str, Any]) -> None:
    step = plan(world(), **task).steps[0]
    assert isinstance(step, CreatePort)
    common = {"name": "web-storage-port", "network_id": "n-1", "project_id": "p-1"}
    assert step.body() == {**common, **body}


TWIN = SUBNET.model_copy(update={"id": "sub-2", "name": "two"})
TWO = NETWORK.model_copy(update={"subnets": (SUBNET, TWIN)})
ALIEN = ATTACHED.model_copy(update={"project_id": "p-2"})


@pytest.mark.parametrize(
    ("there", "task", "error", "says"),
    [
        (world(FOREIGN), {}, Conflict, "server s-2 has it. Detach it there first"),
        (world(FOREIGN), {"state": "absent"}, Conflict, "server s-2 has it. Name that server"),
        (world(PORT, ATTACHED), {}, Conflict, "there are several: port-1, port-1"),
        (world(ATTACHED), {"fixed_ip": "10.0.0.8"}, Conflict, "its address is 10.0.0.7, not 10.0"),
        (world(ATTACHED), {"mac": "fa:16:3e:00:00:02"}, Conflict, "its MAC is fa:16:3e:00:00:01"),
        (world(ATTACHED), {"security_groups": ("nfs",)}, Conflict, "security groups are others"),
        (world(ALIEN), {}, Conflict, "it is in another project than the server"),
        (world(), {"subnet": "One"}, NotFound, "Did you mean 'one'?"),
        (world(), {"security_groups": ("NFS",)}, NotFound, "(there: default, nfs)"),
        (world(network=TWO), {"fixed_ip": "10.0.0.8"}, InvalidInput, "fixed_ip needs subnet"),
    ],
)
def test_refused(
    there: PortWorld, task: dict[str, Any], error: type[HostlerError], says: str
) -> None:
    with pytest.raises(error) as raised:
        plan(there, **task)
    assert says in str(raised.value)


def test_what_is_there_in_another_spelling_is_the_same() -> None:
    task = {"mac": "FA:16:3E:00:00:01", "security_groups": ("default",), "fixed_ip": "10.0.0.7"}
    assert not plan(world(ATTACHED), **task).changed


def test_a_read_only_fleet_may_look() -> None:
    wanted = PortTask(server="web", network="storage")
    policy = Policy(read_only=True)
    assert not plan_port(wanted, world(ATTACHED), policy).changed
    with pytest.raises(PolicyError):
        plan_port(wanted, world(), policy)


@pytest.mark.parametrize(
    "bad",
    [
        {"server": ""},
        {"name": ""},
        {"timeout": 0},
        {"state": "gone"},
        {"nmae": "x"},
        {"fixed_ip": "10.0.0.300"},
        {"mac": "fa:16:3e"},
    ],
)
def test_bad_tasks(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PortTask(**{"server": "web", "network": "storage", **bad})


@given(
    state=st.sampled_from(["present", "absent"]),
    ports=st.lists(
        st.builds(
            lambda owner, network: PORT.model_copy(
                update={"server_id": owner, "network_id": network}
            ),
            st.sampled_from([None, "s-1", "s-2"]),
            st.sampled_from(["n-1", "n-2"]),
        ),
        max_size=2,
    ),
)
def test_never_two_ports_and_never_anothers(state: str, ports: list[PortView]) -> None:
    ports = [port.model_copy(update={"id": f"port-{n}"}) for n, port in enumerate(ports)]
    mine = [port for port in ports if port.network_id == "n-1"]
    try:
        steps = kinds(plan(world(*ports), state=state))
    except Conflict:
        assert len(mine) > 1 or mine[0].server_id == "s-2"
        return
    assert ("create" in steps) == (state == "present" and not mine)
    assert ("delete" in steps) == (state == "absent" and bool(mine))
    assert all(port.server_id != "s-2" for port in mine)


def test_names_are_made_of_names() -> None:
    assert len(port_name("s" * 300, "n")) == 255
