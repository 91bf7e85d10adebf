# SPDX-License-Identifier: Apache-2.0
"""Plans environments and SSH keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hostler.config import Policy
from hostler.errors import Conflict, InvalidInput, NotFound
from hostler.hyperstack.planner.common import check_writable
from hostler.hyperstack.steps import (
    CreateEnvironment,
    CreateKeypair,
    DeleteEnvironment,
    DeleteKeypair,
)
from hostler.hyperstack.steps.base import only
from hostler.models.hyperstack import Environment, Keypair, Region
from hostler.models.hyperstack_task import EnvironmentTask, KeypairTask
from hostler.plan.plan import Plan

State = dict[str, Any]


def plan_environment(
    task: EnvironmentTask,
    url: str,
    environments: Sequence[Environment],
    regions: Sequence[Region],
    policy: Policy,
) -> Plan:
    """Plan an environment.

    Raises:
        InvalidInput: a new one needs a region.
        NotFound: there is no such region.
        Conflict: it is in another region.
        PolicyError: the fleet is read-only.
    """
    on, target = f"environment {task.name!r}", f"hyperstack/{task.name}"
    there = only(environments, task.name, on)
    before: State = {"name": there.name, "region": there.region} if there else {}
    if task.state == "absent":
        if there is None:
            return Plan(target=target, summary=f"{on} is not there")
        delete = DeleteEnvironment(url=url, name=task.name, region=there.region or "", id=there.id)
        return check_writable(
            Plan(target=target, summary=delete.summary, before=before, steps=[delete]), policy
        )
    if there is not None:
        if task.region not in (None, there.region):
            raise Conflict(f"it is in region {there.region}, and stays there", on=on)
        return Plan(target=target, summary=f"{on} is as wanted", before=before, after=before)
    if task.region is None:
        raise InvalidInput("it is not there, and a new one needs a region", on=on)
    names = [region.name for region in regions]
    if task.region not in names:
        known = ", ".join(sorted(map(str, names)))
        raise NotFound(f"there is no region {task.region!r} (there: {known})", on=on)
    create = CreateEnvironment(url=url, name=task.name, region=task.region)
    after = {"name": task.name, "region": task.region}
    plan = Plan(target=target, summary=create.summary, after=after, steps=[create])
    return check_writable(plan, policy)


def plan_keypair(
    task: KeypairTask,
    url: str,
    environments: Sequence[Environment],
    keypairs: Sequence[Keypair],
    policy: Policy,
) -> Plan:
    """Plan an SSH key.

    Raises:
        InvalidInput: a new one needs a public key.
        NotFound: there is no such environment.
        Conflict: there is another key of that name.
        PolicyError: the fleet is read-only.
    """
    on = f"key {task.name!r} in {task.environment}"
    target = f"hyperstack/{task.environment}/key/{task.name}"
    mine = [key for key in keypairs if key.environment.name == task.environment]
    there = only(mine, task.name, on)
    if task.state == "absent":
        plan = _without_key(task, url, there, target)
        return check_writable(plan, policy)
    if there is not None:
        if task.public_key and _bare(task.public_key) != _bare(there.public_key or ""):
            raise Conflict(
                "there is another key of that name",
                on=on,
                hint="Remove it first, or give the new one another name.",
            )
        state = _key_state(task, there.public_key)
        return Plan(target=target, summary=f"{on} is as wanted", before=state, after=state)
    if task.public_key is None:
        raise InvalidInput("it is not there, and a new one needs public_key", on=on)
    if all(environment.name != task.environment for environment in environments):
        raise NotFound(f"there is no environment {task.environment!r}", on=on)
    create = CreateKeypair(
        url=url, environment=task.environment, name=task.name, public_key=task.public_key
    )
    after = _key_state(task, task.public_key)
    plan = Plan(target=target, summary=create.summary, after=after, steps=[create])
    return check_writable(plan, policy)


def _without_key(task: KeypairTask, url: str, there: Keypair | None, target: str) -> Plan:
    if there is None:
        return Plan(target=target, summary=f"key {task.name} is not there")
    delete = DeleteKeypair(
        url=url,
        environment=task.environment,
        name=task.name,
        public_key=there.public_key or "",
        id=there.id,
    )
    before = _key_state(task, there.public_key)
    return Plan(target=target, summary=delete.summary, before=before, steps=[delete])


def _key_state(task: KeypairTask, public_key: str | None) -> State:
    return {"name": task.name, "environment": task.environment, "public_key": public_key}


def _bare(public_key: str) -> list[str]:
    """Return a key without its comment."""
    return public_key.split()[:2]
