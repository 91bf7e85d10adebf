# SPDX-License-Identifier: Apache-2.0
"""Power: the steps from the state that a VM is in to the one it should be in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostler.errors import InvalidInput
from hostler.models.vm_task import VmOptions
from hostler.vms.steps import PauseDomain, ResetDomain, StartDomain, StopDomain

if TYPE_CHECKING:
    from hostler.plan.step import Step

_OFF = ("stopped",)


def stop_step(uri: str, name: str, status: str, options: VmOptions) -> StopDomain:
    """Return the step that stops a VM: gracefully, then by force where that was asked for.

    A crashed guest can't answer, so it is powered off; with ``timeout: 0`` and ``force`` at once.
    """
    hard = status in ("crashed", "suspended") or (options.force and options.timeout == 0)
    return StopDomain(
        uri=uri,
        name=name,
        timeout=options.timeout,
        force=options.force,
        hard=hard,
        was_paused=status == "paused",
    )


def power_steps(uri: str, name: str, status: str, options: VmOptions) -> list[Step]:
    """Return the steps that bring a VM to ``options.state``; ``present`` leaves it alone.

    Raises:
        InvalidInput: a reset was asked of a VM that does not run.
    """
    state = options.state
    if state == "running":
        return _to_running(uri, name, status)
    if state == "paused":
        return _to_paused(uri, name, status)
    if state == "stopped" and status not in _OFF:
        return [stop_step(uri, name, status, options)]
    if state == "restarted":
        return _restart(uri, name, status, options)
    if state == "reset":
        if status in (*_OFF, "crashed"):
            raise InvalidInput("it does not run, so it can't be reset", hint="Start it instead.")
        return [ResetDomain(uri=uri, name=name)]
    return []


def _restart(uri: str, name: str, status: str, options: VmOptions) -> list[Step]:
    start = StartDomain(uri=uri, name=name)
    if status in _OFF:
        return [start]
    return [stop_step(uri, name, status, options), start]


def _to_running(uri: str, name: str, status: str) -> list[Step]:
    start = StartDomain(uri=uri, name=name)
    if status in _OFF:
        return [start]
    if status in ("paused", "suspended"):
        return [PauseDomain(uri=uri, name=name, resume=True)]
    if status == "crashed":
        return [StopDomain(uri=uri, name=name, hard=True), start]
    if status == "stopping":
        return [StopDomain(uri=uri, name=name, timeout=60, force=False), start]
    return []


def _to_paused(uri: str, name: str, status: str) -> list[Step]:
    if status in _OFF:
        return [StartDomain(uri=uri, name=name, paused=True)]
    if status == "running":
        return [PauseDomain(uri=uri, name=name)]
    if status == "paused":
        return []
    raise InvalidInput(f"it is {status}, so it can't be paused", hint="Start it first.")


def status_after(status: str, options: VmOptions) -> str:
    """Return the status that a VM has once its power steps are done."""
    if options.state in ("running", "restarted"):
        return "running"
    if options.state in ("paused", "stopped"):
        return options.state
    return status
