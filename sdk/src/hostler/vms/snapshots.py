# SPDX-License-Identifier: Apache-2.0
"""fleet.snapshots: snapshots of VMs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from hostler.models.vm_task import SnapshotTask, VmResult

if TYPE_CHECKING:
    from hostler.fleet import Fleet


class Snapshots:
    """Snapshots of VMs."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def run(
        self,
        tasks: Iterable[SnapshotTask | Mapping[str, Any]],
        *,
        uri: str | None = None,
        check: bool = False,
        parallel: int | None = None,
    ) -> list[VmResult]:
        """Bring snapshots to what is wanted; errors are in the results.

        ``before`` and ``after`` of a result hold the VM's snapshots by name.
        """
        raise NotImplementedError
