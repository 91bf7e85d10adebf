# SPDX-License-Identifier: Apache-2.0
"""Maintenance of a host: as it is wanted, and what became of the host and its VMs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from hostler.models.host import HostId, HostResult
from hostler.models.placement import Placement, Strategy
from hostler.models.result import Result
from hostler.models.vm import Part
from hostler.models.vm_migration import MigrationWay


class Away(Part):
    """A VM that was moved to another host; ``host`` is that one's id."""

    vm: str
    host: str


class Record(Part):
    """What is kept of a host in maintenance.

    Attributes:
        resting: it gets no VMs; else it does, and some of its own are on their way back.
        away: its VMs on other hosts, by UUID.
    """

    resting: bool = False
    away: dict[str, Away] = Field(default_factory=dict)


class HostMaintenanceTask(MigrationWay):
    """A host that is to be emptied, or taken back; the other fields say how VMs are moved.

    Attributes:
        host: the host's id.
        state: ``drained``: its VMs are moved away, and it gets no new ones; ``active``: it takes
            VMs again.
        return_vms: with ``active``, move the VMs back that were moved away.
        stopped_vms: with ``drained``, what becomes of VMs that are off: they stay (``leave``), or
            their definitions are moved too (``move``).
        partial: move what can be moved, although something can't; else nothing is touched then.
        strategy: where VMs go, as in placement.
        override_protection: although the fleet's policy protects the host, or a VM.
    """

    host: HostId
    state: Literal["drained", "active"]
    return_vms: bool = False
    stopped_vms: Literal["leave", "move"] = "leave"
    partial: bool = False
    strategy: Strategy = "spread"
    override_protection: bool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> HostMaintenanceTask:
        if self.return_vms and self.state != "active":
            raise ValueError("return_vms is for state: active")
        if not (self.persist and self.undefine_source):
            raise ValueError("a VM that leaves takes its definition along")
        return self

    @property
    def way(self) -> MigrationWay:
        """How VMs are moved."""
        return MigrationWay(**{k: getattr(self, k) for k in MigrationWay.model_fields})


class HostMove(Result):
    """What became of one VM; ``name`` is its name.

    Attributes:
        source, target: ids of the hosts that it goes from and to.
        status: ``planned`` (check mode), ``migrated``, or ``failed``.
        placement: why it goes there; None where it returns.
        runs_on: id of the host where it was found to run afterwards; None where that could not be
            found out, or it does not run.
        downtime: milliseconds that the guest stood still; None where unknown.
        data: bytes that were moved; None where unknown.
    """

    source: str
    target: str
    status: Literal["planned", "migrated", "failed"] = "failed"
    placement: Placement | None = None
    runs_on: str | None = None
    downtime: int | None = None
    data: int | None = None


class HostMaintenanceResult(HostResult):
    """What became of a host and its VMs.

    Attributes:
        moves: the VMs that were (in check mode: would be) moved.
        stuck: why VMs can't be moved, by name.
        vms: names of VMs that do not run and stay.
        drained: no VM runs there any more (in check mode: would); None where it was not asked.
    """

    moves: list[HostMove] = Field(default_factory=list)
    stuck: dict[str, str] = Field(default_factory=dict)
    vms: list[str] = Field(default_factory=list)
    drained: bool | None = None
