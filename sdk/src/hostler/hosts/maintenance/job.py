# SPDX-License-Identifier: Apache-2.0
"""Job: one host of a request, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hostler.models.host_maintenance import HostMaintenanceTask, HostMove, Record

if TYPE_CHECKING:
    from hostler.errors import HostlerError
    from hostler.hosts.maintenance.movers import Mover
    from hostler.plan.plan import Plan


@dataclass
class Job:
    """One host of a request.

    Attributes:
        before: what was kept of the host when it was planned first.
        begun: something was changed already; what can't be moved then has failed.
        cleared: there was something that an earlier run had left half way.
        moves: what became of VMs, by name.
        outrun: somebody else was faster; what is left is planned anew.
    """

    task: HostMaintenanceTask
    before: Record | None = None
    plan: Plan | None = None
    movers: Sequence[Mover] = ()
    stay: Sequence[str] = ()
    error: HostlerError | None = None
    begun: bool = False
    cleared: bool = False
    notes: list[str] = field(default_factory=list)
    moves: dict[str, HostMove] = field(default_factory=dict)
    outrun: bool = False

    @property
    def moving(self) -> bool:
        """Whether VMs may have to be moved."""
        return self.task.state == "drained" or self.task.return_vms

    @property
    def stuck(self) -> dict[str, str]:
        """Why VMs can't be moved, by name."""
        return {mover.vm: mover.problem for mover in self.movers if mover.problem}
