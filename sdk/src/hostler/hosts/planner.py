# SPDX-License-Identifier: Apache-2.0
"""Plans what becomes of a host in the pool. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, InvalidInput, PolicyError
from hostler.hosts.steps import ForgetHost, SaveHost
from hostler.models.host import Host, HostSettings, HostTask
from hostler.models.problems import checked
from hostler.plan.plan import Plan

SHOWN = 5
"""How many VMs an error names."""


@dataclass(frozen=True)
class Known:
    """What is known of a host before it is planned.

    Attributes:
        host: as it is registered; None where it is not.
        others: all other hosts.
        uuid: what the machine at the wanted URI says; None where it has none or was not asked.
        read_only: why it lets nobody write; None where it does, or was not asked.
        ours: VMs on it that we have made or changed; the error where it could not be asked.
    """

    host: Host | None
    others: Sequence[Host] = ()
    uuid: str | None = None
    read_only: HostlerError | None = None
    ours: Sequence[str] | HostlerError = ()


def wanted_settings(task: HostTask, host: Host | None) -> HostSettings:
    """Return a host's settings as they will be; what a task leaves out stays.

    Raises:
        InvalidInput: a new host without a URI.
    """
    old: dict[str, Any] = host.settings.dump() if host else {}
    new = task.model_dump(exclude={"id", "state", "force", "labels", "memory_limit"})
    given = {**old, **{key: value for key, value in new.items() if value is not None}}
    if task.memory_limit is not None:
        given["memory_limit"] = f"{task.memory_limit}B"
    labels = {**old.get("labels", {}), **(task.labels or {})}
    given["labels"] = {key: value for key, value in labels.items() if value is not None}
    if not given.get("uri"):
        hint = "Name it: uri: qemu+ssh://root@host/system"
        raise InvalidInput("it is not in the pool yet, and needs a uri", hint=hint)
    return checked(HostSettings, given)


def plan_host(task: HostTask, known: Known, policy: Policy) -> Plan:
    """Plan one host.

    Raises:
        InvalidInput: a new host without a URI.
        Conflict: it is registered under another id, has VMs of ours, or is declared in fleet.yml.
        PolicyError: the fleet's policy forbids it.
    """
    try:
        plan = _absent(task, known) if task.state == "absent" else _present(task, known)
        if plan.changed and known.host and known.host.source == "fleet.yml":
            hint = "Change it there; it is not kept in the store."
            raise Conflict("it is declared in fleet.yml", hint=hint)
        if plan.changed and policy.read_only:
            hint = "Unset policy.read_only in fleet.yml to change it."
            raise PolicyError("the fleet is read-only", hint=hint)
    except HostlerError as error:
        error.on = error.on or f"host {task.id!r}"
        error.args = (str(error),)
        raise
    return plan


def _present(task: HostTask, known: Known) -> Plan:
    host = known.host
    settings = wanted_settings(task, host)
    before = host.settings.dump() if host else {}
    after = settings.dump()
    moved = host is None or host.uri != settings.uri
    uuid = known.uuid if moved else host.uuid if host else None
    if moved:
        _refuse_twin(task.id, settings.uri, uuid, known.others)
    if before == after:
        return Plan(target=f"host/{task.id}", summary="nothing to do", before=before, after=after)
    step = SaveHost(
        id=task.id,
        settings=after,
        uuid=uuid,
        before=before or None,
        before_uuid=host.uuid if host else None,
    )
    warnings = []
    if known.read_only is not None:
        warnings.append(f"VMs can't be managed there: {known.read_only.what}")
    return Plan(
        target=f"host/{task.id}",
        summary=f"{'change' if host else 'add'} host {task.id}",
        before=before,
        after=after,
        warnings=warnings,
        steps=[step],
    )


def _refuse_twin(host_id: str, uri: str, uuid: str | None, others: Sequence[Host]) -> None:
    for other in others:
        if other.is_at(uri, uuid):
            raise other.twin_of(host_id, uuid)


def _absent(task: HostTask, known: Known) -> Plan:
    host = known.host
    if host is None:
        return Plan(target=f"host/{task.id}", summary="nothing to do")
    warnings = []
    if isinstance(known.ours, HostlerError):
        if not task.force:
            what = f"it can't be asked about its VMs: {known.ours.what}"
            raise Conflict(what, hint="Say force: true to remove it all the same.")
        warnings.append(f"It could not be asked about its VMs: {known.ours.what}")
    elif known.ours:
        names = ", ".join(known.ours[:SHOWN]) + (" ..." if len(known.ours) > SHOWN else "")
        if not task.force:
            what = f"VMs on it are managed here: {names}"
            hint = "Move them first, or say force: true; they stay as they are."
            raise Conflict(what, hint=hint)
        warnings.append(f"These VMs stay on it, and are in the pool no more: {names}")
    before = host.settings.dump()
    return Plan(
        target=f"host/{task.id}",
        summary=f"remove host {task.id} from the pool",
        before=before,
        warnings=warnings,
        steps=[ForgetHost(id=task.id, before=before, before_uuid=host.uuid)],
    )
