# SPDX-License-Identifier: Apache-2.0
"""Plans a new VM, once all that it is made of was found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from hostler.errors import Conflict, InvalidInput, NotFound
from hostler.hyperstack.planner.changes import volume_ids
from hostler.hyperstack.planner.common import rule_state
from hostler.hyperstack.steps import AttachVolumes, CreateVm, WaitForVm
from hostler.hyperstack.steps.vm import digest
from hostler.hyperstack.world import Catalogue, HyperstackWorld
from hostler.models.hyperstack import Flavor, Image, Named
from hostler.models.hyperstack_task import HyperstackVmTask
from hostler.plan.step import Step

T = TypeVar("T", bound=Named)

_SHOWN = 12


def create_steps(task: HyperstackVmTask, world: HyperstackWorld) -> tuple[list[Step], list[str]]:
    """Return the steps that make a VM, and warnings.

    Raises:
        InvalidInput: image, flavor or key is not said.
        NotFound: one of them is not there.
        Conflict: the name is taken, the environment is full, the image is not for that flavor.
    """
    image, flavor, key = _needed(task)
    catalogue = world.catalogue or Catalogue()
    region = world.environment.region if world.environment else None
    made_of = _named(catalogue.images, image, "image", f"region {region}")
    size = _named(catalogue.flavors, flavor, "flavor", f"region {region}")
    _named(catalogue.keypairs, key, "key", f"environment {task.environment}")
    _check_room(task, catalogue)
    _check_restrictions(made_of, size)
    common: dict[str, Any] = {
        "url": world.url,
        "environment": task.environment,
        "name": task.name,
        "timeout": task.wait_timeout,
    }
    create = CreateVm(
        **common,
        image=image,
        flavor=flavor,
        key=key,
        user_data=task.user_data,
        user_data_digest=digest(task.user_data) if task.user_data else "",
        floating_ip=bool(task.floating_ip),
        port_randomization=task.port_randomization,
        security_rules=task.security_rules or (),
        labels=task.labels or (),
        callback_url=task.callback_url or None,
    )
    steps: list[Step] = [create]
    if task.wait or task.volumes:
        steps.append(WaitForVm(**common, floating_ip=bool(task.floating_ip)))
    if task.volumes:
        ids = volume_ids(task.volumes, world)
        steps.append(AttachVolumes(**common, volumes=task.volumes, ids=ids))
    none_left = size.stock_available is False
    warning = f"Hyperstack says that flavor {flavor} is out of stock in {region}"
    return steps, [warning] if none_left else []


def state_of_new(task: HyperstackVmTask) -> dict[str, Any]:
    """Return a new VM as states show it."""
    seed = {"user_data": digest(task.user_data)} if task.user_data else {}
    return {
        "name": task.name,
        "environment": task.environment,
        "status": "ACTIVE",
        "image": task.image,
        "flavor": task.flavor,
        "key": task.key,
        "labels": sorted(task.labels or ()),
        "floating_ip": bool(task.floating_ip),
        "security_rules": rule_state(task.security_rules or ()),
        "volumes": sorted(task.volumes or ()),
        "callback_url": task.callback_url or None,
        **seed,
    }


def _needed(task: HyperstackVmTask) -> tuple[str, str, str]:
    missing = [name for name in ("image", "flavor", "key") if not getattr(task, name)]
    if missing:
        raise InvalidInput(f"it is not there, and a new VM needs {', '.join(missing)}")
    return str(task.image), str(task.flavor), str(task.key)


def _named(things: Iterable[T], name: str, kind: str, where: str) -> T:
    """Return the thing of exactly this name."""
    there = list(things)
    found = [thing for thing in there if thing.name == name]
    if found:
        return found[-1]
    names = sorted({str(thing.name) for thing in there})
    shown = ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")
    raise NotFound(f"there is no {kind} {name!r} in {where} (there: {shown or 'none'})")


def _check_room(task: HyperstackVmTask, catalogue: Catalogue) -> None:
    if task.name in catalogue.taken:
        raise Conflict("the name is taken: a VM of another environment has it")
    if catalogue.quota.available_vms == 0:
        most = catalogue.quota.max_vms
        raise Conflict(f"the environment is full ({most} VMs)", hint="Use another environment.")


def _check_restrictions(image: Image, flavor: Flavor) -> None:
    limits = image.flavor_restrictions
    if not limits.has_flavor_restrictions or limits.restriction_type != "hard":
        return
    names = {x.get("name") if isinstance(x, dict) else str(x) for x in limits.compatible_flavors}
    if names and flavor.name not in names:
        raise Conflict(f"image {image.name!r} is not for flavor {flavor.name!r}")
