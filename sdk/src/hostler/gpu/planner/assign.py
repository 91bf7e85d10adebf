# SPDX-License-Identifier: Apache-2.0
"""Which hosts go where, so that each pool has its number at the least cost. Pure.

Successive shortest paths, the textbook way to a flow of minimum cost: as long as a pool is short of
a host, the cheapest way is taken that brings it one from a pool that has too many, perhaps by way
of other pools, or by sending hosts elsewhere that were to move before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

Cost = Callable[[str, str], int | None]
"""What it takes to have a host in a pool: 0 where it is, None where it can't go."""


class _Step(NamedTuple):
    """The cheapest way to bring some host from a pool to another."""

    cost: int
    host: str


class _Way(NamedTuple):
    """A way to bring a pool one more host: where hosts go for that."""

    cost: int
    moves: dict[str, str]


def assign(now: Mapping[str, str], wanted: Mapping[str, int], cost: Cost) -> dict[str, str]:
    """Return the pool of each host; some pools are short where they can't have their number.

    Args:
        now: the pool of each host.
        wanted: the number of hosts of every pool; as many as there are hosts.
        cost: what it takes to have a host in a pool.
    """
    at = dict(now)
    while short := lacking(at, wanted):
        have = Counter(at.values())
        full = [pool for pool, number in wanted.items() if have[pool] > number]
        ways = _ways(full, _steps(at, wanted, cost))
        found = [(ways[pool].cost, pool) for pool in short if pool in ways]
        if not found:
            break
        at.update(ways[min(found)[1]].moves)
    return at


def lacking(at: Mapping[str, str], wanted: Mapping[str, int]) -> dict[str, int]:
    """Return how many hosts each pool lacks, of those that lack some."""
    have = Counter(at.values())
    return {pool: number - have[pool] for pool, number in wanted.items() if have[pool] < number}


def _steps(
    at: Mapping[str, str], pools: Collection[str], cost: Cost
) -> dict[tuple[str, str], _Step]:
    """Return the cheapest host for each way from one pool to another."""
    steps: dict[tuple[str, str], _Step] = {}
    for host, here in at.items():
        for pool in pools:
            there, stay = cost(host, pool), cost(host, here)
            if pool == here or there is None or stay is None:
                continue
            step = _Step(there - stay, host)
            steps[here, pool] = min(step, steps.get((here, pool), step))
    return steps


def _ways(full: Collection[str], steps: Mapping[tuple[str, str], _Step]) -> dict[str, _Way]:
    """Return the cheapest way to each pool from one that has too many (Bellman and Ford's)."""
    ways = {pool: _Way(0, {}) for pool in full}
    for _ in {pool for pair in steps for pool in pair}:
        for (here, there), step in steps.items():
            if here not in ways:
                continue
            total = ways[here].cost + step.cost
            if there not in ways or total < ways[there].cost:
                ways[there] = _Way(total, {**ways[here].moves, step.host: there})
    return ways
