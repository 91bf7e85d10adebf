# SPDX-License-Identifier: Apache-2.0
"""Looks names up, in exactly their spelling: Nova's database compares without case, we do not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from hostler.errors import InvalidInput, NotFound
from hostler.gpu.world import GpuWorld
from hostler.models.gpu import STATUSES, HostStatus
from hostler.models.gpu_config import POOLS, Pool
from hostler.models.nova import Aggregate


def known_host(world: GpuWorld, host: str) -> str:
    """Return the name of a host that exists.

    Raises:
        NotFound: there is none; says which one may have been meant.
    """
    names = {*world.computes, *world.aggregates_of}
    if host not in names:
        hint = meant(host, names, "hosts")
        raise NotFound("there is no such host", on=f"host {host!r}", hint=hint)
    return host


def aggregate_named(world: GpuWorld, name: str) -> Aggregate:
    """Return an aggregate by its name.

    Raises:
        NotFound: there is none; says which one may have been meant.
    """
    if name not in world.by_name:
        hint = meant(name, world.by_name, "aggregates")
        raise NotFound("there is no such aggregate", on=f"aggregate {name!r}", hint=hint)
    return world.by_name[name]


def contract_named(world: GpuWorld, contract: str) -> str:
    """Return the aggregate of a contract: by its own name, or by what follows ``Contract-``.

    Raises:
        NotFound: there is none; says which one may have been meant.
    """
    known = {found.contract: name for name, found in world.classes.items() if found.contract}
    if contract in known.values():
        return contract
    if contract not in known:
        hint = meant(contract, known, "contracts")
        raise NotFound("there is no such contract", on=f"contract {contract!r}", hint=hint)
    return known[contract]


def known_type(world: GpuWorld, gpu_type: str) -> str:
    """Return the GPU type that this is, or is an alias of.

    Raises:
        NotFound: no aggregate names it; says which one may have been meant.
    """
    found = world.classifier.canonical(gpu_type)
    known = {c.gpu_type for c in world.classes.values() if c.gpu_type}
    if found not in known:
        hint = meant(gpu_type, known, "types")
        raise NotFound("no aggregate has this GPU type", on=f"GPU type {gpu_type!r}", hint=hint)
    return found


def known_pool(pool: str) -> Pool:
    """Return the pool of this name.

    Raises:
        InvalidInput: there is none.
    """
    for known in POOLS:
        if known == pool:
            return known
    raise InvalidInput(f"there is no pool {pool!r}", hint=f"Pools: {', '.join(POOLS)}.")


def known_status(status: str) -> HostStatus:
    """Return the status of this name.

    Raises:
        InvalidInput: there is none.
    """
    for known in STATUSES:
        if known == status:
            return known
    raise InvalidInput(f"there is no status {status!r}", hint=f"Statuses: {', '.join(STATUSES)}.")


def known_variant(world: GpuWorld, variant: str) -> str:
    """Return the variant of this name.

    Raises:
        NotFound: no aggregate names it; says which one may have been meant.
    """
    known = {c.variant for c in world.classes.values() if c.variant}
    if variant not in known:
        hint = meant(variant, known, "variants")
        raise NotFound("no aggregate has this variant", on=f"variant {variant!r}", hint=hint)
    return variant


def meant(word: str, names: Iterable[str], kind: str) -> str:
    """Say which name may have been meant, by its case first; else which there are."""
    listed = sorted(names)
    same = [name for name in listed if name.casefold() == word.casefold()]
    if near := same or difflib.get_close_matches(word, listed, 1):
        return f"Did you mean {near[0]!r}?"
    shown = ", ".join(listed[:8]) + (" ..." if len(listed) > 8 else "")
    return f"Known {kind}: {shown or 'none'}."
