# SPDX-License-Identifier: Apache-2.0
"""Reads environments, each once, for planners."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hostler.hyperstack.world import Catalogue, HyperstackWorld
from hostler.models.hyperstack_task import HyperstackVmTask

if TYPE_CHECKING:
    from hostler.backends.hyperstack import HyperstackApi
    from hostler.models.hyperstack import Environment


def observe(
    api: HyperstackApi,
    name: str,
    tasks: Iterable[HyperstackVmTask] = (),
    *,
    firewalls: bool = False,
) -> HyperstackWorld:
    """Read an environment: its VMs, and what tasks on them need to know besides.

    Raises:
        HostlerError: it can't be read.
    """
    found = [e for e in api.environments() if e.name == name]
    if not found:
        return HyperstackWorld(api.config.url, name, None)
    environment, wanted = found[0], list(tasks)
    vms = tuple(api.vms.list(name))
    names = {vm.name for vm in vms}
    there = {vm.name for vm in vms if vm.becomes != "DELETED"}
    new = [t for t in wanted if t.state != "absent" and (t.name not in there or t.recreate)]
    volumes = any(task.volumes is not None for task in wanted)
    return HyperstackWorld(
        url=api.config.url,
        name=name,
        environment=environment,
        vms=vms,
        firewalls=tuple(
            f for f in api.firewalls.list() if f.environment.name == name
        ) if firewalls else (),
        volumes=tuple(v for v in api.volumes() if _is_in(v.environment.name, name))
        if volumes
        else (),
        catalogue=_catalogue(api, environment, {t.name for t in new} - names) if new else None,
    )  # fmt: skip


def _is_in(environment: str | None, name: str) -> bool:
    return environment in (None, name)


def _catalogue(api: HyperstackApi, environment: Environment, names: set[str]) -> Catalogue:
    return Catalogue(
        images=tuple(api.images(environment.region)),
        flavors=tuple(api.flavors(environment.region)),
        keypairs=tuple(k for k in api.keypairs() if k.environment.name == environment.name),
        quota=api.quota(environment.id),
        taken=frozenset(name for name in names if not api.name_is_free(name)),
    )
