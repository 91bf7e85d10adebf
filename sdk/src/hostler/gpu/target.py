# SPDX-License-Identifier: Apache-2.0
"""Where a host should go. Pure, and the same answer each time.

A host with servers stays where it is, as does one of a contract. An empty one goes where GPUs are
short: where as many as ``gpu.busy_percent`` are in use, not counting the host itself. Where none is
short, on-demand lends what it does not need to spot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hostler.errors import Conflict
from hostler.gpu import metadata
from hostler.gpu.names import known_host
from hostler.gpu.overview import host_type, host_view, summary, zone_of
from hostler.gpu.world import GpuWorld
from hostler.models.gpu import Classified, GpuSummary, Target, TargetAdvice
from hostler.models.gpu_config import POOLS, Pool
from hostler.models.migration import MigrationTask
from hostler.models.nova import Aggregate

NVLINK = "NVLink"
_IDLE_ORDER: tuple[Pool, ...] = ("spot", "ondemand", "runpod", "contract")


@dataclass(frozen=True)
class _Host:
    """What is known of the host, and what was asked for."""

    world: GpuWorld
    name: str
    gpu_type: str
    servers: int
    pool: Pool | None
    variant: str | None

    @property
    def pools(self) -> list[Aggregate]:
        return self.world.pools_of(self.name)

    @property
    def stays(self) -> bool:
        """Whether it is left alone unless a pool is named."""
        owned = any(self.world.classes[a.name].pool == "contract" for a in self.pools)
        return self.pool is None and bool(self.pools) and (owned or self.servers > 0)

    @property
    def nvlink(self) -> bool | None:
        """Whether it has NVLink: NetBox says so, else the aggregate that it is in."""
        known = self.world.netbox.get(self.name)
        if known and known.nvlink is not None:
            return known.nvlink
        variants = {self.world.classes[a.name].variant for a in self.pools}
        return variants == {NVLINK} if len(variants) == 1 else None


class _Choice(NamedTuple):
    """An aggregate, looked at: it is suitable where it has no problems."""

    aggregate: Aggregate
    found: Classified
    use: GpuSummary
    problems: list[str]
    notes: list[str]
    rank: tuple[bool | float | str, ...]


def advise(
    world: GpuWorld,
    host: str,
    *,
    gpu_type: str | None = None,
    pool: Pool | None = None,
    variant: str | None = None,
    drained: bool = False,
) -> TargetAdvice:
    """Return the best aggregate for a host, and what speaks for and against each.

    Args:
        world: flavors are compared with the aggregates' metadata where it has any.
        host: its name, as Nova spells it.
        gpu_type: what its GPUs are, where neither pool nor placement says so.
        pool: only an aggregate of this pool; contracts are left out unless asked for.
        variant: only an aggregate of this variant.
        drained: as if its servers were gone.

    Raises:
        NotFound: there is no such host.
        Conflict: its GPUs are of another type.
    """
    known_host(world, host)
    known = host_type(world, host)
    if known and gpu_type and known != gpu_type:
        hint = "Leave gpu_type out, or name the right host."
        raise Conflict(f"its GPUs are {known}, not {gpu_type}", on=f"host {host!r}", hint=hint)
    found = known or gpu_type
    servers = 0 if drained else len(world.servers_of.get(host, ()))
    about = _Host(world, host, found or "", servers, pool, variant)
    choices = sorted((_choice(about, a) for a in _candidates(about)), key=lambda c: c.rank)
    best, reasoning = _best(about, choices)
    return TargetAdvice(
        hostname=host,
        gpu_type=found,
        current_aggregate=about.pools[0].name if len(about.pools) == 1 else None,
        recommended_aggregate=best.aggregate.name if best else None,
        reasoning=reasoning,
        alternatives=[_target(choice) for choice in choices],
    )


def _candidates(about: _Host) -> list[Aggregate]:
    """Return the pools of the host's GPU type: contracts where asked for, or where it is."""
    classes = about.world.classes
    return [
        a
        for a in about.world.aggregates
        if classes[a.name].pool
        and classes[a.name].gpu_type == about.gpu_type
        and (classes[a.name].pool != "contract" or about.pool == "contract" or a in about.pools)
    ]


def _best(about: _Host, choices: Sequence[_Choice]) -> tuple[_Choice | None, str]:
    if not about.gpu_type:
        return None, "Its GPU type is not known: neither a pool nor placement names it."
    here = ", ".join(a.name for a in about.pools)
    if about.stays and len(about.pools) > 1:
        return None, f"Host has {_vms(about)} and is in several pools: {here}."
    suitable = [choice for choice in choices if not choice.problems]
    if not suitable:
        wanted = " ".join(filter(None, (about.gpu_type, about.variant, about.pool)))
        asked = [c for c in choices if about.pool in (None, c.found.pool)]
        why = "; ".join(f"{c.aggregate.name}: {', '.join(c.problems)}" for c in asked)
        return None, f"No {wanted} aggregate is suitable ({why or 'there is none'})."
    if about.pool == "contract" and len(suitable) > 1 and suitable[0].aggregate not in about.pools:
        names = ", ".join(choice.aggregate.name for choice in suitable)
        return None, f"Several contracts are suitable: {names}. Name one as the target."
    return suitable[0], _reasoning(about, suitable[0])


def _reasoning(about: _Host, best: _Choice) -> str:
    """Say in a sentence why."""
    name, pool = best.aggregate.name, best.found.pool
    if best.aggregate in about.pools:
        if pool == "contract" and about.stays:
            return f"Host belongs to the contract {best.found.contract} and stays in {name}."
        if about.stays:
            return f"Host has {_vms(about)} and stays in {name}: moving it needs force or drain."
        if about.pool:
            return f"Host stays in {name}, which is of the pool {pool} already."
        return f"Host has {_vms(about)} and stays in {name}: no other pool needs it more."
    if about.servers:
        return f"Host has {_vms(about)}: moving it to {pool} aggregate needs force or drain."
    short = " where GPUs are short" if _short(about, best.use) else ""
    also = "".join(f"; {note}" for note in best.notes[1:])
    return f"Host has {_vms(about)}, suitable for {pool} aggregate{short}{also}."


def _choice(about: _Host, aggregate: Aggregate) -> _Choice:
    found = about.world.classes[aggregate.name]
    others = [name for name in sorted(aggregate.hosts) if name != about.name]
    use = summary(host_view(about.world, name) for name in others)
    problems, notes = [], [_in_use(use)]
    here = aggregate in about.pools
    if about.pool and found.pool != about.pool:
        problems.append(f"its pool is {found.pool}")
    lesser = _variant(about, found, problems, notes)
    moved = not here and _zone(about, aggregate, problems, notes)
    if not here:
        problems += _no_flavor(about, aggregate)
    if about.stays and not here:
        servers = about.servers > 0
        problems.append(f"host has {_vms(about)}" if servers else "host belongs to a contract")
    short = _short(about, use)
    fullest = -(use.gpu_usage_percentage or 0) if short else 0
    keeps = here and (short or found.pool != "ondemand")  # only on-demand lends
    order = POOLS if short else _IDLE_ORDER
    place = -1 if keeps else order.index(found.pool or "contract")
    rank = (bool(problems), lesser, moved, not short, fullest, place)
    return _Choice(aggregate, found, use, problems, notes, (*rank, aggregate.name))


def _variant(about: _Host, found: Classified, problems: list[str], notes: list[str]) -> bool:
    """Compare the variants; returns whether the host has more than the aggregate is for."""
    if about.variant:
        if found.variant != about.variant:
            problems.append(f"its variant is {found.variant or 'none'}")
        elif found.variant == NVLINK and about.nvlink is False and _netbox_says(about):
            problems.append("host has no NVLink, NetBox says")
        return False
    if found.variant == NVLINK and not about.nvlink:
        unknown = "whether host has NVLink is not known"
        problems.append(unknown if about.nvlink is None else "host has no NVLink")
    elif found.variant is None and about.nvlink:
        notes.append("host has NVLink, which it is not for")
        return True
    return False


def _netbox_says(about: _Host) -> bool:
    known = about.world.netbox.get(about.name)
    return known is not None and known.nvlink is not None


def _zone(about: _Host, aggregate: Aggregate, problems: list[str], notes: list[str]) -> bool:
    """Compare the availability zones; returns whether the host's would change.

    Source: Nova refuses to change a host's zone while it has instances (since 2024.2), and never
    lets a host be in two zones.
    """
    rest = [a for a in about.world.aggregates_of.get(about.name, ()) if a not in about.pools]
    kept = next((a for a in rest if a.zone), None)
    if kept and aggregate.zone and kept.zone != aggregate.zone:
        problems.append(f"its zone is {aggregate.zone}, and {kept.name} keeps host in {kept.zone}")
        return True
    before, after = (
        zone_of(about.world, about.name),
        aggregate.zone or (kept.zone if kept else None),
    )
    if before == after:
        return False
    change = f"host's availability zone would change from {before or 'none'} to {after or 'none'}"
    if about.servers:
        problems.append(f"{change}, which needs drain as it has {_vms(about)}")
    else:
        notes.append(change)
    return True


def _no_flavor(about: _Host, aggregate: Aggregate) -> list[str]:
    # not at the top: planners ask for advice
    task = MigrationTask(host=about.name, target=aggregate.name, drain=True)
    said = metadata.warnings(about.world, task, aggregate)
    return ["no flavor asks for what its metadata offers"] if said else []


def _short(about: _Host, use: GpuSummary) -> bool:
    percent = use.gpu_usage_percentage
    return percent is not None and percent >= about.world.config.busy_percent


def _in_use(use: GpuSummary) -> str:
    if not use.hosts:
        return "no other hosts"
    if use.gpu_usage_percentage is None:
        return f"{use.gpu_used} GPUs in use by others, of how many is not known"
    return f"{use.gpu_usage_ratio} GPUs in use by others ({use.gpu_usage_percentage:g}%)"


def _target(choice: _Choice) -> Target:
    return Target(
        aggregate=choice.aggregate.name,
        pool=choice.found.pool,
        variant=choice.found.variant,
        suitable=not choice.problems,
        reasons=[*choice.problems, *choice.notes],
    )


def _vms(about: _Host) -> str:
    if not about.servers:
        return "no running VMs"
    return "1 VM" if about.servers == 1 else f"{about.servers} VMs"
