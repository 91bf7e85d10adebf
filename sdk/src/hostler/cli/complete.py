# SPDX-License-Identifier: Apache-2.0
"""Shell completion of names: asks libvirt, says nothing when that fails."""

from __future__ import annotations

import typer

SECONDS = 3


def vm_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a VM."""
    options = ctx.find_root().params
    try:
        from hostler.fleet import Fleet

        with Fleet(options.get("config"), uri=options.get("uri")) as fleet:
            quick = fleet.config.model_copy(update={"connect_timeout": SECONDS})
            with Fleet(quick, uri=fleet.uri) as asked:
                names = asked.hypervisor().domains.names()
    except Exception:  # noqa: BLE001 - a shell that completes must not print errors
        return []
    return sorted(name for name in names if name.startswith(incomplete))


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
