# SPDX-License-Identifier: Apache-2.0
"""Hosts that go to and fro while calls fail: what each test of a fault needs, at little cost."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rigs.openstack import seed
from rigs.openstack.faults import Faults, Request, Rule
from rigs.openstack.layout import CLOUDS

from hostler import Fleet
from hostler.gpu import lock
from hostler.gpu.steps import base, servers
from hostler.gpu.world import GpuWorld

from .moving import Move, clean, truth

FAULTS: dict[str, dict[str, Any]] = {
    "refused": {"action": "refuse"},
    "lost": {"action": "lose"},
    "409": {"action": "answer", "status": 409},
    "500": {"action": "answer", "status": 500},
    "503": {"action": "answer", "status": 503},
    "slow": {"action": "pass", "delay": 0.2},
}


ALL = "HOSTLER_ALL_FAULTS" in os.environ
"""Every call of every kind of move meets every fault: some minutes more."""


def cases(calls: int, whole: Container[int], few: int) -> list[tuple[int, str]]:
    """Pair calls with faults: those of ``whole`` with all, the others with ``few``, in turn."""
    names = list(FAULTS)
    step = len(names) // few
    return [
        (call, fault)
        for call in range(calls)
        for number, fault in enumerate(names)
        if ALL or call in whole or (number - call) % step == 0
    ]


class Pair(NamedTuple):
    """A fleet whose calls go through the proxy, and one past it, with one journal."""

    proxied: Fleet
    healthy: Fleet


@contextmanager
def two_fleets(folder: Path) -> Iterator[Pair]:
    """Open two fleets that don't wait long between tries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(CLOUDS))
        patch.setattr(base, "WAITS", (0.05, 0.2))
        patch.setattr(lock, "PAUSE", (0.05, 0.2))
        patch.setattr(servers, "POLL", 0.3)
        patch.setenv("HOSTLER_STORE", f"sqlite:///{folder}/journal.db")
        with Fleet(cloud="box-proxied") as proxied, Fleet(cloud="box") as healthy:
            assert proxied.journal.list() == healthy.journal.list() == []  # opened now
            yield Pair(proxied, healthy)


class Way(NamedTuple):
    """A move that a host can make, the world before it, and its calls as rules, in turn."""

    move: Move
    world: GpuWorld
    calls: list[Rule]


class Shuttle:
    """A host that each test moves from where the one before it left it: nobody moves it back."""

    def __init__(self, there: Way, back: Way) -> None:
        self.way, self._other = there, back
        self._first = there

    def look(self) -> None:
        """Turn round where the host has arrived; put all right where something is wrong."""
        found = truth(self.way.move.host)
        if found == clean(self.way.move.target):
            self.way, self._other = self._other, self.way
        elif found != clean(self.way.move.source):
            seed.reset()
            if self.way is not self._first:
                self.way, self._other = self._other, self.way


def both_ways(fleet: Fleet, move: Move) -> Shuttle:
    """Move a host there and back, and note what that takes."""
    back = move._replace(source=move.target, target=move.source)
    return Shuttle(noted(fleet, move), noted(fleet, back))


def noted(fleet: Fleet, move: Move, **task: Any) -> Way:
    """Move a host, and note what that takes."""
    world = fleet.gpu.observe(flavors=True)
    plan = fleet.gpu.migrations.plan({**move.task, **task}, world)
    faults = Faults()
    faults.clear()
    plan.apply()
    return Way(move, world, rules_of(faults.requests()))


def rules_of(requests: list[Request]) -> list[Rule]:
    """Return a rule for each request, that fires on just that one."""
    seen: Counter[tuple[str, str, str]] = Counter()
    rules = []
    for request in requests:
        key = (request.service, request.method, f"{re.escape(request.path)}$")
        seen[key] += 1
        rules.append(Rule(*key, nth=seen[key]))
    return rules


def nth_of(rules: list[Rule], wanted: Rule) -> int:
    """Which of Nova's calls one is, counted from 1."""
    return [rule for rule in rules if rule.service == "nova"].index(wanted) + 1


def changes(rules: list[Rule]) -> list[Rule]:
    """The calls that change something."""
    return [rule for rule in rules if rule.method != "GET"]
