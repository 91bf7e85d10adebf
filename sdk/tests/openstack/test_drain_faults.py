# SPDX-License-Identifier: Apache-2.0
"""Drains while calls fail: the host's server runs on, and the host is where the report says.

Two hosts take turns: whichever has the server is drained, and put back. Every call meets a fault
and every fault a call; those of the migration itself meet all. HOSTLER_ALL_FAULTS=1 has every call
meet every fault, which takes some minutes more.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from rigs.openstack import computes, seed
from rigs.openstack.faults import Faults, Rule

from .faulty import FAULTS, Pair, Way, cases, changes, noted, two_fleets
from .moving import Move, act, admin, clean, report_is_true, truth

pytestmark = pytest.mark.fault

HOSTS, HOME, AWAY = ("gpu-host-001", "gpu-host-002"), "L40-n3", "L40-n3-runpod"
SERVER, OTHER = "a-train-2", "a-train-1"
CALLS, CHANGES = 28, 8
"""So many kinds of calls make a drain of one server; so many of them change something."""
OWN = range(9, 13)
"""The calls that a move without servers does not make."""


def server(name: str = SERVER) -> dict[str, Any]:
    found = admin().get("nova", "/v2.1/servers/detail", all_tenants=1, name=name)["servers"]
    return dict(found[0]) if found else {}


def one_server() -> None:
    """As seeded, but for one of the two servers of the first host."""
    seed.reset()
    admin().delete("nova", f"/v2.1/servers/{server(OTHER)['id']}")
    deadline = time.monotonic() + 30
    while server(OTHER):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def settled() -> str:
    """Put a host back that has left; return the one that the server has arrived at."""
    deadline = time.monotonic() + 30
    while (there := server())["OS-EXT-STS:task_state"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    computes.enable_in_placement(admin())
    for host in HOSTS:
        found = truth(host)
        if found == clean(AWAY):
            act(HOME, "add_host", host)
            act(AWAY, "remove_host", host)
        elif found != clean(HOME):
            one_server()
            return HOSTS[0]
    return str(there["OS-EXT-SRV-ATTR:host"])


@pytest.fixture(scope="module")
def pair(rig: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:  # noqa: ARG001
    """Two fleets for all faults, so that each logs in once."""
    with two_fleets(tmp_path_factory.mktemp("drains")) as pair:
        yield pair


@pytest.fixture(scope="module")
def ways(pair: Pair) -> Iterator[dict[str, Way]]:
    """How each of the hosts is drained and moved: of the calls that wait, only the first ones."""
    one_server()
    found = {}
    for host in HOSTS:
        id = server()["id"]
        way = noted(pair.proxied, Move(host, HOME, AWAY), drain=True)
        calls = [rule for rule in way.calls if is_always_made(rule, id)]
        found[host] = way._replace(calls=calls)
        assert settled() != host
    yield found
    seed.reset()


def is_always_made(rule: Rule, id: str) -> bool:
    """Whether a call is made in every drain, however long the server takes to arrive.

    Not those that look again, nor the one that asks whether what placement keeps room for on the
    host (a migration, for a moment) is a server.
    """
    _, found, tail = rule.path.replace("\\", "").partition("/servers/")
    if not found or rule.method != "GET" or tail.startswith("detail"):
        return True
    return tail.startswith(id) and rule.nth <= (1 if "migrations" in tail else 2)


@pytest.fixture
def way(ways: dict[str, Way]) -> Way:
    """The drain that is possible now."""
    return ways[settled()]


def test_these_are_all_calls(ways: dict[str, Way]) -> None:
    for way in ways.values():
        assert (len(way.calls), len(changes(way.calls))) == (CALLS, CHANGES)


@pytest.mark.parametrize(("call", "fault"), cases(CALLS, OWN, few=1))
def test_each_call_fails(pair: Pair, faults: Faults, way: Way, call: int, fault: str) -> None:
    faults.set(replace(way.calls[call], **FAULTS[fault]))
    task = {**way.move.task, "drain": True}
    (result,) = pair.proxied.gpu.migrations.run([task], world=way.world)
    assert faults.fired() == [1], result.error
    report_is_true(result, way.move, pair.healthy)
    migrated = server()["OS-EXT-SRV-ATTR:host"] != way.move.host
    if result.error is None:
        assert migrated
    else:
        assert migrated == (f"Kept: migrate server {SERVER}" in result.error)
