# SPDX-License-Identifier: Apache-2.0
"""Plans what becomes of a storage pool. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, InvalidInput, PolicyError
from hostler.models.names import some
from hostler.models.storage import StoragePoolTask
from hostler.plan.plan import Plan
from hostler.plan.step import Step
from hostler.storage.pool_xml import edit_pool, read_pool
from hostler.storage.steps import (
    BuildPool,
    DefinePool,
    SetPoolAutostart,
    StartPool,
    StopPool,
    UndefinePool,
)

FOLDERS = ("dir", "fs", "netfs")
"""Pools in a folder, which is made for them; others are never built: that could format a disk."""
FIELDS = (
    *("type", "path", "source_host", "source_path"),
    *("source_devices", "source_name", "source_format"),
)


@dataclass(frozen=True)
class PoolNow:
    """A pool as it is.

    Attributes:
        xml: its definition, or what runs where it is not defined.
        users: VMs with disks in it.
    """

    xml: str
    active: bool
    autostart: bool
    persistent: bool = True
    users: Sequence[str] = ()

    def show(self) -> dict[str, Any]:
        """Return it as diffs show it."""
        return {**read_pool(self.xml), "active": self.active, "autostart": self.autostart}


def plan_pool(uri: str, task: StoragePoolTask, now: PoolNow | None, policy: Policy) -> Plan:
    """Plan one pool.

    Raises:
        InvalidInput: a new pool lacks what its type needs.
        Conflict: VMs use it, or it is of another type.
        PolicyError: the fleet's policy forbids it.
    """
    try:
        plan = _absent(uri, task, now) if task.state == "absent" else _present(uri, task, now)
        if plan.changed and policy.read_only:
            hint = "Unset policy.read_only in fleet.yml to change it."
            raise PolicyError("the fleet is read-only", hint=hint)
    except HostlerError as error:
        error.on = error.on or f"storage pool {task.name!r} on {uri}"
        error.args = (str(error),)
        raise
    return plan


def _present(uri: str, task: StoragePoolTask, now: PoolNow | None) -> Plan:
    before = read_pool(now.xml) if now else {}
    given = {key: getattr(task, key) for key in FIELDS if getattr(task, key) is not None}
    wanted = {**({} if now else {"type": "dir"}), **before, **given}
    _check(task, wanted, now)
    active = _or(task.active, now.active if now else True)
    autostart = _or(task.autostart, now.autostart if now else True)
    xml = edit_pool(now.xml if now else None, task.name, given if now else wanted)
    moved = read_pool(xml) != before
    steps: list[Step] = []
    running = now is not None and now.active
    warnings: list[str] = []
    if now and now.active and (moved or not active):
        warnings = _refuse_users(task, now)
        steps.append(StopPool(uri=uri, name=task.name, xml=None if now.persistent else now.xml))
        running = False
    if moved or (now and not now.persistent):
        before_xml = now.xml if now and now.persistent else None
        steps.append(DefinePool(uri=uri, name=task.name, xml=xml, before_xml=before_xml))
    if moved and wanted["type"] in FOLDERS:
        steps.append(BuildPool(uri=uri, name=task.name, path=wanted["path"]))
    if active and not running:
        steps.append(StartPool(uri=uri, name=task.name))
    if autostart != (now.autostart if now else False):
        steps.append(SetPoolAutostart(uri=uri, name=task.name, autostart=autostart))
    return Plan(
        target=f"storage_pool/{task.name}",
        summary=_summary(task.name, now, steps),
        before=now.show() if now else {},
        after={**read_pool(xml), "active": active, "autostart": autostart},
        warnings=warnings,
        steps=steps,
    )


def _absent(uri: str, task: StoragePoolTask, now: PoolNow | None) -> Plan:
    target = f"storage_pool/{task.name}"
    if now is None:
        return Plan(target=target, summary="nothing to do")
    warnings = _refuse_users(task, now)
    steps: list[Step] = []
    if now.active:
        steps.append(StopPool(uri=uri, name=task.name, xml=None if now.persistent else now.xml))
    if now.persistent:
        gone = UndefinePool(uri=uri, name=task.name, before_xml=now.xml, autostart=now.autostart)
        steps.append(gone)
    summary = f"remove storage pool {task.name}; its volumes stay"
    return Plan(target=target, summary=summary, before=now.show(), warnings=warnings, steps=steps)


def _check(task: StoragePoolTask, wanted: dict[str, Any], now: PoolNow | None) -> None:
    if now and wanted["type"] != read_pool(now.xml)["type"]:
        have = read_pool(now.xml)["type"]
        hint = "Give the new one another name, or remove this one first; its volumes stay."
        raise Conflict(f"it is a pool of type {have}, and {task.type} is wanted", hint=hint)
    if wanted["type"] in FOLDERS and not wanted.get("path"):
        hint = "Name the folder: path: /srv/vms"
        raise InvalidInput(f"a new pool of type {wanted['type']} needs a path", hint=hint)


def _refuse_users(task: StoragePoolTask, now: PoolNow) -> list[str]:
    if not now.users:
        return []
    if not task.force:
        what = f"VMs have disks in it: {some(now.users)}"
        raise Conflict(what, hint="Move them first, or say force: true; they stay as they are.")
    return [f"These VMs have disks in it: {some(now.users)}"]


def _or(wanted: bool | None, otherwise: bool) -> bool:
    return otherwise if wanted is None else wanted


def _summary(name: str, now: PoolNow | None, steps: Sequence[Step]) -> str:
    if not steps:
        return "nothing to do"
    return f"{'change' if now else 'create'} storage pool {name}"
