# SPDX-License-Identifier: Apache-2.0
"""Readings of hosts that no host has told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hostler.metrics.raw import VM_COUNTERS, RawVm, Reading
from hostler.models.host_view import PoolInfo

START = 1_800_000_000.0
"""A full hour."""

UUID = "00000000-0000-4000-8000-{:012d}"


def vm(
    number: int = 1,
    *,
    counters: Mapping[str, int | None] | int = 0,
    epoch: int = 1,
    state: int = 1,
    name: str = "",
    **sizes: Any,
) -> RawVm:
    """A VM of two CPUs; ``counters`` by name, or one number for all of them."""
    given: dict[str, int | None] = dict.fromkeys(VM_COUNTERS, 0)
    if isinstance(counters, int):
        given = dict.fromkeys(VM_COUNTERS, counters)
    else:
        given |= counters
    known: dict[str, Any] = {"vcpus": 2, "current": 1024**2, **sizes}
    return RawVm(
        uuid=UUID.format(number),
        name=name or f"vm{number}",
        epoch=epoch,
        state=state,
        counters=tuple(given.values()),
        **known,
    )


def reading(
    at: float,
    vms: Sequence[RawVm] = (),
    *,
    clock: float | None = None,
    boot: str = "boot",
    cpu: tuple[int | None, ...] = (None, None, None, None),
    pools: Sequence[PoolInfo] | None = None,
) -> Reading:
    """A host, ``at`` seconds after START."""
    return Reading(
        at=START + at,
        clock=at + 1000 if clock is None else clock,
        boot=boot,
        cpus=4,
        cpu=cpu,
        memory={"total": 8 * 1024**2, "free": 1024**2, "buffers": 0, "cached": 1024**2},
        vms=vms,
        pools=pools,
    )


def pool(name: str = "default", total: float = 100, used: float = 25) -> PoolInfo:
    """A pool; sizes in GiB."""
    return PoolInfo(name=name, active=True, capacity_gb=total, allocation_gb=used)
