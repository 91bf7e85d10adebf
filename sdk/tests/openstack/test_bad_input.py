# SPDX-License-Identifier: Apache-2.0
"""What makes no sense, may not be or is not there: the whole sentence, and nothing half done."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from pydantic import SecretStr
from rigs.openstack import seed
from rigs.openstack.faults import Faults, Rule

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.errors import BackendError, HostlerError
from hostler.models.netbox import NetboxConfig
from hostler.testing.netbox import FakeNetbox

from .moving import act, admin, boot

HOST = "gpu-host-002"
REFUSED = '{"error": {"message": "The request you have made requires authentication."}}'

MakeFleet = Callable[[str], Fleet]
Ask = Callable[[Fleet], object]


class Said(Exception):
    """The error that is in a result."""


def move(host: str = HOST, **task: Any) -> Ask:
    """Move a host."""

    def ask(fleet: Fleet) -> None:
        (result,) = fleet.gpu.migrations.run([{"host": host, **task}])
        _raise(result)

    return ask


def attach(**task: Any) -> Ask:
    """Attach a port to a server."""
    whole = {"server": "a-train-2", "network": "storage-network", **task}
    return lambda fleet: _raise(fleet.openstack.run_port(whole))


def _raise(result: Any) -> None:
    if result.error:
        assert result.changed is False
        raise Said(result.error)


def in_three() -> None:
    for aggregate in ("L40-n3-spot", "L40-n3-runpod"):
        act(aggregate, "add_host", HOST)


def twins() -> None:
    for _ in range(2):
        boot("gpu-host-001")


def keystone_is_down() -> None:
    Faults().set(Rule("keystone", times=0, action="refuse"))


def token_ends_for_good() -> None:
    denied: dict[str, Any] = {"times": 0, "action": "answer", "status": 401, "text": REFUSED}
    Faults().set(Rule("nova", **denied), Rule("keystone", "POST", nth=2, **denied))


class Case(NamedTuple):
    """What is asked, and what is said, word for word.

    ``prepare`` makes it so beforehand; ``cloud`` is the one of clouds.yaml that is asked.
    """

    ask: Ask
    says: str
    prepare: Callable[[], object] | None = None
    cloud: str = "box"


SPOT = "L40-n3-spot"
POOLS = "pool: Input should be 'ondemand', 'spot', 'runpod' or 'contract'."
ADMIN = "It needs the role admin, unless the cloud's policy says otherwise."
LOGIN = "Check the cloud in clouds.yaml or the OS_* variables: 'openstack token issue'."

CASES: dict[str, Case] = {
    "unknown host": Case(
        move("zzz", target=SPOT),
        "host 'zzz': there is no such host. Known hosts: gpu-host-001, gpu-host-002, gpu-host-003,"
        " gpu-host-004, gpu-host-005, gpu-host-006, gpu-host-007, gpu-host-008.",
    ),
    "host in the wrong case": Case(
        move("GPU-Host-002", target=SPOT),
        "host 'GPU-Host-002': there is no such host. Did you mean 'gpu-host-002'?",
    ),
    "host of another cloud, whose VMs are asked for": Case(
        lambda fleet: fleet.gpu.host_vms("gpu-host-02"),
        "host 'gpu-host-02': there is no such host. Did you mean 'gpu-host-002'?",
    ),
    "unknown target": Case(
        move(target="L40-n3-sport"),
        "aggregate 'L40-n3-sport': there is no such aggregate. Did you mean 'L40-n3-spot'?",
    ),
    "target in the wrong case": Case(
        move(target="l40-N3-spot"),
        "aggregate 'l40-N3-spot': there is no such aggregate. Did you mean 'L40-n3-spot'?",
    ),
    "unknown source": Case(
        move(source="zzz", target=SPOT),
        "aggregate 'zzz': there is no such aggregate. Known aggregates: A100-n3, A100-n3-NVLink,"
        " A100-n3-NVLink-spot, Contract-Acme-8xH100-SXM5, L40-n3, L40-n3-runpod, L40-n3-spot,"
        " RTX-A4000-n3 ....",
    ),
    "source in the wrong case": Case(
        move(source="L40-N3", target=SPOT),
        "aggregate 'L40-N3': there is no such aggregate. Did you mean 'L40-n3'?",
    ),
    "source that has no hosts": Case(
        move(source="L40-n3-runpod", target=SPOT),
        "host 'gpu-host-002': it is not in L40-n3-runpod. It is in L40-n3.",
    ),
    "pool that has no hosts, and none to get": Case(
        lambda fleet: fleet.gpu.pools.run({"gpu_type": "L40", "pools": {"runpod": 1}}),
        "pools of L40: 1 host is wanted, and there are 0: 0 in runpod. Give one pool the rest, or"
        " numbers that add up to 0.",
    ),
    "unknown type": Case(
        lambda fleet: fleet.gpu.overview("B300"),
        "GPU type 'B300': no aggregate has this GPU type. Known types: A100, H100-SXM5, L40,"
        " RTX-A4000.",
    ),
    "type in the wrong case": Case(
        lambda fleet: fleet.gpu.overview("l40"),
        "GPU type 'l40': no aggregate has this GPU type. Did you mean 'L40'?",
    ),
    "unknown pool": Case(move(pool="preemptible"), f"migration of host 'gpu-host-002': {POOLS}"),
    "pool in the wrong case": Case(move(pool="Spot"), f"migration of host 'gpu-host-002': {POOLS}"),
    "variant in the wrong case": Case(
        move(pool="spot", variant="nvlink"),
        "variant 'nvlink': no aggregate has this variant. Did you mean 'NVLink'?",
    ),
    "host in three aggregates": Case(
        move(target="L40-n3"),
        "host 'gpu-host-002': it is in several pools: L40-n3-spot, L40-n3-runpod. Say which it"
        " shall leave (source).",
        in_three,
    ),
    "GPU mismatch": Case(
        move(target="A100-n3"),
        "host 'gpu-host-002': its GPUs are L40, and A100-n3 is for A100. Name an aggregate of its"
        " own GPU type.",
    ),
    "ambiguous name of a server": Case(
        attach(server="newcomer"),
        "server 'newcomer': 2 have that name. Give the id of the one that you mean: ID, ID.",
        twins,
    ),
    "no admin right": Case(
        move(target=SPOT),
        "Nova of cloud 'box-reader': we may not do that: Policy doesn't allow"
        f" os_compute_api:os-services:list to be performed. {ADMIN}",
        cloud="box-reader",
    ),
    "Keystone is down": Case(
        move(target=SPOT),
        "Keystone of cloud 'box-proxied': the connection broke before there was an answer. Check"
        " the address and that it is up.",
        keystone_is_down,
        "box-proxied",
    ),
    "token that ends, and Keystone gives no other": Case(
        move(target=SPOT),
        "Keystone of cloud 'box-proxied': the cloud does not let us in: The request you have made"
        f" requires authentication. {LOGIN}",
        token_ends_for_good,
        "box-proxied",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_case(make_fleet: MakeFleet, name: str) -> None:
    case = CASES[name]
    try:
        if case.prepare:
            case.prepare()
        before, fleet = picture(), make_fleet(case.cloud)
        with pytest.raises((HostlerError, Said)) as caught:
            case.ask(fleet)
        assert (picture(), fleet.journal.list()) == (before, [])
    finally:
        if case.prepare:
            seed.reset()
    said = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", str(caught.value))
    assert said == case.says


def picture() -> Any:
    """All that a move or a port could have changed."""
    nova, neutron = "/v2.1/os-aggregates", "/v2.0/ports"
    return [
        admin().get("nova", nova),
        [s["status"] for s in admin().get("nova", "/v2.1/os-services")["services"]],
        sorted(port["id"] for port in admin().get("neutron", neutron)["ports"] if port["name"]),
    ]


# NetBox that is down, or returns other devices than were asked for.


@pytest.fixture(params=["down", "other devices"])
def netbox(request: pytest.FixtureRequest) -> Iterator[tuple[FakeNetbox, str]]:
    """A NetBox that is no use, and what is said of it."""
    with FakeNetbox() as netbox:
        netbox.add_tenant("Acme Corp", group="Investors")
        netbox.add_device("router-1", tenant="Acme Corp")
        netbox.ignore_filters = True  # as it does with one that it does not know
        if request.param == "other devices":
            yield netbox, "it returned 'router-1', which was not asked for"
    if request.param == "down":
        yield netbox, "no connection: Connection refused"


def with_netbox(netbox: FakeNetbox, *, required: bool) -> Fleet:
    token = SecretStr(netbox.token or "")
    config = NetboxConfig(url=netbox.url, token=token, required=required)
    return Fleet(FleetConfig(netbox=config), cloud="box")


def test_without_netbox_nobody_has_the_hosts(netbox: tuple[FakeNetbox, str]) -> None:
    with with_netbox(netbox[0], required=False) as fleet:
        world = fleet.gpu.observe()
        hosts = fleet.gpu.hosts(world)
    assert len(hosts) == 8
    assert {(host.tenant, host.owner_group, host.nvlink) for host in hosts} == {(None, None, None)}
    (warning,) = world.warnings
    assert warning.startswith(f"Tenants and owner groups are not known: NetBox {netbox[0].url}: ")
    assert netbox[1] in warning


def test_netbox_may_be_required(netbox: tuple[FakeNetbox, str]) -> None:
    before = picture()
    with with_netbox(netbox[0], required=True) as fleet:
        with pytest.raises(BackendError, match=netbox[1]):
            move(target=SPOT)(fleet)
        assert (picture(), fleet.journal.list()) == (before, [])
