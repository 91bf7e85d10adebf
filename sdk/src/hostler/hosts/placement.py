# SPDX-License-Identifier: Apache-2.0
"""Chooses a host for a VM. Pure: the same hosts and the same VM make the same choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import NamedTuple

from hostler.errors import NoRoom
from hostler.models.host_view import Amount, HostInfo, PciDevice
from hostler.models.placement import (
    Claim,
    GpuRequest,
    Placement,
    PlacementRequest,
    Strategy,
)
from hostler.models.size import GIB, MIB


class Resident(NamedTuple):
    """A VM that a host has."""

    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Candidate:
    """A host as placement sees it: its figures, its VMs, and what is on the way to it.

    Attributes:
        at: when the figures were read (``time.time()``).
    """

    info: HostInfo
    vms: Sequence[Resident] = ()
    claims: Sequence[Claim] = ()
    at: float = 0.0
    counted: list[Claim] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        names = {vm.name for vm in self.vms}
        counted = [c for c in self.claims if c.vm not in names and not self._has_seen(c)]
        object.__setattr__(self, "counted", counted)

    def _has_seen(self, claim: Claim) -> bool:
        return claim.settled is not None and claim.settled < self.at

    @property
    def id(self) -> str:
        """The host's id."""
        return self.info.id or self.info.uri

    @property
    def reserved(self) -> Amount:
        """What is on the way."""
        return Amount(
            cpus=sum(claim.cpus for claim in self.counted),
            memory_mb=sum(-(-claim.memory // MIB) for claim in self.counted),
        )

    @property
    def taken(self) -> Amount:
        """What its VMs have, and those on the way."""
        has, coming = self.info.allocated or Amount(), self.reserved
        return Amount(cpus=has.cpus + coming.cpus, memory_mb=has.memory_mb + coming.memory_mb)

    @property
    def vm_count(self) -> int:
        """VMs that it has, and those on the way."""
        return len(self.vms) + len(self.counted)

    def labels_of_vms(self) -> list[Mapping[str, str]]:
        """Return the labels of its VMs, and of those on the way."""
        return [*(vm.labels for vm in self.vms), *(claim.labels for claim in self.counted)]

    def free_gpus(self, wanted: GpuRequest | None) -> list[PciDevice]:
        """Return the wanted GPUs that nobody has or is to be given, by address."""
        coming = {address for claim in self.counted for address in claim.gpus}
        return [
            gpu
            for gpu in self.info.gpus or ()
            if wanted
            and is_model(gpu, wanted.model)
            and not gpu.used_by
            and gpu.address not in coming
        ]


def place(request: PlacementRequest, hosts: Iterable[Candidate]) -> Placement:
    """Choose a host.

    Raises:
        NoRoom: none suits; says why for each.
    """
    known = sorted(hosts, key=lambda host: host.id)
    group = not any(
        carries(labels, request.rules.affinity) for host in known for labels in host.labels_of_vms()
    )
    # the first VM of a group that belongs together has none to join
    first = group and carries(request.labels, request.rules.affinity)
    refused = {host.id: obstacle(request, host, first_of_group=first) for host in known}
    suited = [host for host in known if refused[host.id] is None]
    if not suited:
        raise _no_room(request, refused)
    strategy = request.rules.strategy
    ranked = sorted(suited, key=lambda host: (*_rank(strategy, request, host), host.id))
    best = ranked[0]
    others = {name: why for name, why in refused.items() if why is not None}
    others |= {host.id: _figures(strategy, request, host) for host in ranked[1:]}
    wanted = request.rules.gpu
    gpus = [gpu.address for gpu in best.free_gpus(wanted)[: wanted.count]] if wanted else []
    return Placement(
        vm=request.vm,
        host=best.id,
        uri=best.info.uri,
        strategy=strategy,
        reason=f"{_WORDS[strategy]}: {_figures(strategy, request, best)}",
        others=dict(sorted(others.items())),
        gpus=gpus,
    )


def place_all(
    requests: Iterable[PlacementRequest], hosts: Sequence[Candidate]
) -> list[Placement | NoRoom]:
    """Choose hosts for VMs, one after the other: each finds those before it in place."""
    found: list[Placement | NoRoom] = []
    now = {host.id: host for host in hosts}
    for request in requests:
        try:
            placement = place(request, now.values())
        except NoRoom as error:
            found.append(error)
            continue
        found.append(placement)
        host = now[placement.host]
        claim = claim_of(request, placement.host, placement.gpus, request.vm)
        claims = [*host.claims, claim]
        now[placement.host] = replace(host, claims=claims)
    return found


def claim_of(request: PlacementRequest, host_id: str, gpus: Sequence[str], claim_id: str) -> Claim:
    """Return what a placed VM will take."""
    return Claim(
        id=claim_id,
        host=host_id,
        vm=request.vm,
        cpus=request.cpus,
        memory=request.memory,
        labels=request.labels,
        pools=request.pools,
        gpus=tuple(gpus),
    )


def obstacle(
    request: PlacementRequest, host: Candidate, *, first_of_group: bool = False
) -> str | None:
    """Say why a VM can't be on a host; None where it can."""
    info, rules = host.info, request.rules
    if host.id in request.exclude:
        return request.exclude[host.id]
    if info.status != "active":
        state = {"maintenance": "in maintenance"}.get(info.status, info.status)
        return f"is {state}" + (f" ({info.reason})" if info.reason else "")
    if not carries(info.labels, rules.host_labels):
        return f"does not carry {_written(rules.host_labels)}"
    of_vms = host.labels_of_vms()
    together = rules.affinity and not first_of_group
    if together and not any(carries(labels, rules.affinity) for labels in of_vms):
        return f"has no VM with {_written(rules.affinity)}"
    if rules.anti_affinity and any(carries(labels, rules.anti_affinity) for labels in of_vms):
        return f"has a VM with {_written(rules.anti_affinity)}"
    return shortage(host, request.cpus, request.memory) or _lacks(request, host)


def shortage(host: Candidate, cpus: int, memory: int) -> str | None:
    """Say which of CPUs and memory (bytes) a host has not enough of; None where it has."""
    info, capacity, taken = host.info, host.info.capacity, host.taken
    if capacity is None or info.cpu_cores is None or info.memory_mb is None:
        return "has told neither its CPUs nor its memory"
    memory_mb = -(-memory // MIB)
    if cpus > info.cpu_cores:
        return f"has {info.cpu_cores} CPUs, fewer than the VM's {cpus}"
    if memory_mb > info.memory_mb:
        return f"has {info.memory_mb} MiB of memory, less than the VM's {memory_mb}"
    if taken.cpus + cpus > capacity.cpus:
        return f"has {_left(capacity.cpus, taken.cpus)} of {capacity.cpus:g} virtual CPUs left"
    if taken.memory_mb + memory_mb > capacity.memory_mb:
        left = max(0, capacity.memory_mb - taken.memory_mb)
        return f"has {left} of {capacity.memory_mb} MiB of memory left"
    return None


def _lacks(request: PlacementRequest, host: Candidate) -> str | None:
    """Say which GPU, pool or network a host lacks."""
    info, wanted = host.info, request.rules.gpu
    if wanted is not None:
        free = len(host.free_gpus(wanted))
        if free < wanted.count:
            have = sum(is_model(gpu, wanted.model) for gpu in info.gpus or ())
            return f"has {free} of {have} GPUs {wanted.model} free, and the VM wants {wanted.count}"
    pools = {pool.name: pool for pool in info.pools or ()}
    for name, size in request.pools.items():
        pool = pools.get(name)
        if pool is None or not pool.active:
            return f"has no active storage pool {name!r}"
        coming = sum(claim.pools.get(name, 0) for claim in host.counted) / GIB
        left = max(0.0, (pool.available_gb or 0) - coming)
        if size / GIB > left:
            return f"has {left:.1f} GiB left in pool {name!r}, less than {size / GIB:.1f}"
    networks = {network.name for network in info.networks or ()}
    missing = next((name for name in request.networks if name not in networks), None)
    return None if missing is None else f"has no network {missing!r}"


def carries(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether labels have all that are wanted (value ``*`` = any)."""
    return all(key in labels and value in ("*", labels[key]) for key, value in wanted.items())


def is_model(gpu: PciDevice, model: str) -> bool:
    """Whether a GPU is of a model: a glob of its name, with or without its maker's, or its id."""
    ids = f"{gpu.vendor_id}:{gpu.model_id}".replace("0x", "")
    names = (gpu.model or "", f"{gpu.vendor} {gpu.model}", ids)
    return any(fnmatchcase(name.casefold(), model.casefold()) for name in names)


_WORDS = {"spread": "the fewest VMs", "pack": "the fullest", "most_free": "the most free memory"}


def _rank(strategy: Strategy, request: PlacementRequest, host: Candidate) -> tuple[float, ...]:
    """Return what the best host has the least of."""
    cpus, memory = _shares(request, host)
    if strategy == "spread":
        return (host.vm_count, max(cpus, memory))
    if strategy == "pack":
        return (-max(cpus, memory),)
    return (-_free_memory(request, host), cpus)


def _figures(strategy: Strategy, request: PlacementRequest, host: Candidate) -> str:
    """Tell the figures that were compared."""
    cpus, memory = _shares(request, host)
    full = f"{100 * cpus:.0f} % of CPUs and {100 * memory:.0f} % of memory with this one"
    if strategy == "spread":
        vms = "1 VM" if host.vm_count == 1 else f"{host.vm_count} VMs"
        return f"has {vms}, {full}"
    if strategy == "pack":
        return f"has {full}"
    return f"has {_free_memory(request, host)} MiB of memory left with this one"


def _shares(request: PlacementRequest, host: Candidate) -> tuple[float, float]:
    """Return the parts of CPUs and memory that would be taken."""
    capacity, taken = host.info.capacity or Amount(), host.taken
    memory = taken.memory_mb + request.memory / MIB
    return (taken.cpus + request.cpus) / capacity.cpus, memory / capacity.memory_mb


def _free_memory(request: PlacementRequest, host: Candidate) -> int:
    capacity = host.info.capacity or Amount()
    return capacity.memory_mb - host.taken.memory_mb - -(-request.memory // MIB)


def _left(capacity: float, taken: float) -> str:
    return f"{max(0.0, capacity - taken):g}"


def _written(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels.items())


def _no_room(request: PlacementRequest, refused: Mapping[str, str | None]) -> NoRoom:
    if not refused:
        what, hint = "the pool has no hosts", "Register one: 'hostler host set ID --uri URI'."
    else:
        reasons = "; ".join(f"{name} {why}" for name, why in refused.items())
        what = f"no host suits: {reasons}"
        hint = "Ask for less, name a host, or make room."
    return NoRoom(what, on=f"VM {request.vm!r}", hint=hint)
