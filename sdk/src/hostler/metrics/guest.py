# SPDX-License-Identifier: Apache-2.0
"""Asks guest agents: operating system, users, file systems. One that is stuck costs its time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import libvirt

from hostler.backends.libvirt import Hypervisor
from hostler.errors import HostlerError
from hostler.models.metrics import FilesystemFigures, GuestFigures
from hostler.models.size import GIB


def ask_guests(hypervisor: Hypervisor, uuids: Sequence[str], seconds: int) -> list[GuestFigures]:
    """Ask the guests of VMs that run, side by side, each for some seconds."""
    if not uuids:
        return []
    try:
        connection = hypervisor.write()  # libvirt asks agents for nobody who may only read
    except HostlerError as error:
        return [GuestFigures(reason=error.reason)] * len(uuids)
    calls = [partial(_ask, connection, uuid, seconds) for uuid in uuids]
    return [_figures(answer) for answer in hypervisor.ask(calls, seconds + 1)]


def _ask(connection: libvirt.virConnect, uuid: str, seconds: int) -> dict[str, Any]:
    domain = connection.lookupByUUIDString(uuid)
    domain.agentSetResponseTimeout(seconds)
    return dict(domain.guestInfo(0, 0))


def _figures(told: dict[str, Any] | HostlerError) -> GuestFigures:
    """Make figures of an answer. Source: virDomainGetGuestInfo."""
    if isinstance(told, HostlerError):
        return GuestFigures(reason=told.what)
    return GuestFigures(
        os=told.get("os.pretty-name") or told.get("os.name"),
        kernel=told.get("os.kernel-release"),
        hostname=told.get("hostname"),
        users=_users(told),
        filesystems=[*_filesystems(told)] if "fs.count" in told else None,
    )


def _users(told: Mapping[str, Any]) -> list[str] | None:
    if "user.count" not in told:
        return None
    names = {told.get(f"user.{n}.name") for n in range(told["user.count"])}
    return sorted(str(name) for name in names if name)


def _filesystems(told: Mapping[str, Any]) -> Iterator[FilesystemFigures]:
    for number in range(told["fs.count"]):
        get = partial(_of, told, f"fs.{number}.")
        total, used = get("total-bytes"), get("used-bytes")
        yield FilesystemFigures(
            mountpoint=str(get("mountpoint")),
            type=get("fstype"),
            total_gb=None if total is None else round(total / GIB, 3),
            used_gb=None if used is None else round(used / GIB, 3),
            usage_percent=None if used is None or not total else round(100 * used / total, 1),
        )


def _of(told: Mapping[str, Any], prefix: str, name: str) -> Any:
    return told.get(prefix + name)
