# SPDX-License-Identifier: Apache-2.0
"""Moving a GPU host between aggregates: as it is wanted, and what became of it."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hostler.models.gpu_config import Pool
from hostler.models.result import Result

AUTO = "auto"
"""As a target: the aggregate that ``fleet.gpu.target`` recommends."""


class MigrationTask(BaseModel):
    """A host and the aggregate where it should be.

    Attributes:
        host: the host's name, as Nova spells it.
        source: the aggregate to take it out of; None: the one pool that it is in.
        target: the aggregate to put it into, or ``auto``.
        pool: in place of a target: the aggregate of this pool for the host's GPU type.
        variant: with ``pool``: of this variant (``NVLink``).
        force: move it although servers run on it; they stay there.
        drain: first migrate its servers, live, to other hosts of its pool.
        disable_compute: have it take no servers meanwhile.
        wait: seconds to wait while somebody else moves the host, before that is an error.
        override_protection: move a host that the fleet's policy protects.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1, max_length=255)
    source: str | None = None
    target: str | None = None
    pool: Pool | None = None
    variant: str | None = None
    force: bool = False
    drain: bool = False
    disable_compute: bool = True
    wait: int = Field(0, ge=0, le=86400)
    override_protection: bool = False

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if self.target == AUTO or self.pool:
            if self.target not in (None, AUTO):
                raise ValueError("give either target or pool")
        elif not self.target:
            raise ValueError("give target (an aggregate, or auto) or pool")
        elif self.variant:
            raise ValueError("variant goes with pool or target: auto")
        return self


class Verification(BaseModel):
    """A host as it was found afterwards; in check mode: as it is before.

    Attributes:
        aggregates: all that Nova has the host in.
        in_source, in_target: whether it is in the two aggregates of the move.
        placement_in_sync: placement has the host in the same two.
        compute_enabled: its compute service takes servers.
        servers: how many it has.
    """

    model_config = ConfigDict(extra="forbid")

    aggregates: list[str]
    source_exists: bool
    target_exists: bool
    in_source: bool
    in_target: bool
    placement_in_sync: bool | None
    compute_enabled: bool | None
    servers: int


class MigrationResult(Result):
    """What became of one host.

    Attributes:
        commands_executed: the commands of the steps that were carried out; those that undid them
            again are in the command log.
        execution_time: seconds.
        verification: where it is now.
        warnings: what could not be read afterwards.
    """

    source_aggregate: str | None = None
    target_aggregate: str | None = None
    commands_executed: list[str] = Field(default_factory=list)
    execution_time: float | None = None
    verification: Verification | None = None
    warnings: list[str] = Field(default_factory=list)
