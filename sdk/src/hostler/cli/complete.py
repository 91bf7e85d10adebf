# SPDX-License-Identifier: Apache-2.0
"""Shell completion of names: asks libvirt, says nothing when that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from hostler.fleet import Fleet

SECONDS = 3


def vm_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a VM."""
    return _names(ctx, incomplete, lambda asked: asked.hypervisor().domains.names())


def plan_ids(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Complete the id of a plan."""
    try:
        from hostler.fleet import Fleet

        with Fleet(ctx.find_root().params.get("config")) as fleet:
            plans = fleet.journal.list()
    except Exception:  # noqa: BLE001 - as above
        return []
    return [(p.plan.id, p.plan.summary) for p in plans if p.plan.id.startswith(incomplete)]


def host_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the id of a host."""
    try:
        from hostler.fleet import Fleet

        with Fleet(ctx.find_root().params.get("config")) as fleet:
            ids = [host.id for host in fleet.hosts.list()]
    except Exception:  # noqa: BLE001 - as above
        return []
    return [name for name in ids if name.startswith(incomplete)]


def pool_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a storage pool."""
    return _names(ctx, incomplete, lambda asked: [pool.name for pool in asked.storage.pools()])


def volume_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a volume of the pool before it."""
    pool = str(ctx.params.get("pool"))
    return _names(ctx, incomplete, lambda asked: asked.hypervisor().volumes.names(pool))


def network_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a network."""
    return _names(ctx, incomplete, lambda asked: [one.name for one in asked.networks.list()])


def _names(
    ctx: typer.Context, incomplete: str, read: Callable[[Fleet], Iterable[str]]
) -> list[str]:
    """Return what a hypervisor has, as far as it answers soon."""
    options = ctx.find_root().params
    try:
        from hostler.fleet import Fleet

        with Fleet(
            options.get("config"), uri=options.get("uri"), host=options.get("host")
        ) as fleet:
            quick = fleet.config.model_copy(update={"connect_timeout": SECONDS})
            with Fleet(quick, uri=fleet.uri) as asked:
                names = list(read(asked))
    except Exception:  # noqa: BLE001 - a shell that completes must not print errors
        return []
    return sorted(name for name in names if name.startswith(incomplete))
