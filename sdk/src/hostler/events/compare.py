# SPDX-License-Identifier: Apache-2.0
"""Finds out what happened between two looks; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hostler.models.event import VM_STATUS


class State(Protocol):
    """What is known of a VM."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def status(self) -> str:
        """Its status."""

    @property
    def reason(self) -> str | None:
        """Why it has it."""


@dataclass(frozen=True)
class Change:
    """What became of a VM: an event's type and data."""

    type: str
    name: str
    data: dict[str, Any]


def compare(before: Mapping[str, State], after: Mapping[str, State]) -> Iterator[Change]:
    """Tell what became of VMs, by their ids: those that are gone, new, or in another status."""
    for id in before.keys() - after.keys():
        data = {"vm_id": id, "reason": None}
        yield Change("vm.undefined", before[id].name, data)
    for id, now in after.items():
        was = before.get(id)
        if was is None:
            yield Change("vm.defined", now.name, {"vm_id": id, "reason": None})
            if now.status == "stopped":
                continue
        if was is None or was.status != now.status:
            data = {
                "vm_id": id,
                "old_status": was.status if was else None,
                "new_status": now.status,
                "reason": now.reason,
            }
            yield Change(VM_STATUS, now.name, data)
