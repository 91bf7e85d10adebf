# SPDX-License-Identifier: Apache-2.0
"""How many hosts the pools of a GPU type should have, and what became of that."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hostler.models.migration import MigrationResult
from hostler.models.result import Result

REST = "rest"
"""As a number: all hosts that the other pools don't get."""


class GpuPoolTask(BaseModel):
    """How many hosts each pool of a GPU type should have.

    Attributes:
        gpu_type: the GPU type.
        pools: the number of hosts by pool (``ondemand``, ``spot``, ``runpod``) or by name of a
            contract aggregate; ``rest`` for one of them. Pools not named are left alone.
        variant: only hosts and aggregates of this variant (``NVLink``).
        drain: hosts with servers may be moved too: these first migrate, live, to other hosts of
            their pool.
        max_moves: an error where it takes more moves than these.
        disable_compute: have hosts take no servers while they are moved.
        override_protection: move hosts that the fleet's policy protects.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    gpu_type: str = Field(min_length=1)
    pools: dict[str, Annotated[int, Field(ge=0)] | Literal["rest"]] = Field(min_length=1)
    variant: str | None = None
    drain: bool = False
    max_moves: int | None = Field(None, ge=0)
    disable_compute: bool = True
    override_protection: bool = False

    @field_validator("pools", mode="before")
    @classmethod
    def _numbers(cls, pools: object) -> object:
        """Say what is wrong in one sentence; an int would take ``true`` for 1."""
        if not isinstance(pools, dict):
            raise ValueError("give a number of hosts for each pool, as in {spot: 6, runpod: rest}")
        for name, number in pools.items():
            digits = isinstance(number, str) and number.isdecimal()
            whole = isinstance(number, int) and not isinstance(number, bool) and number >= 0
            if not (digits or whole or number == REST):
                raise ValueError(f"{name} must be a number of hosts, or rest")
        return pools

    @field_validator("pools")
    @classmethod
    def _one_rest(cls, pools: dict[str, int | str]) -> dict[str, int | str]:
        if sum(number == REST for number in pools.values()) > 1:
            raise ValueError("only one pool can have the rest")
        return pools

    @property
    def rest(self) -> str | None:
        """The pool that has the rest."""
        return next((name for name, number in self.pools.items() if number == REST), None)


class GpuPoolResult(Result):
    """What became of the pools of a GPU type, which is the ``name``.

    ``before`` and ``after`` are the numbers of hosts by pool: as they were, and as they are (in
    check mode: will be), whatever failed.

    Attributes:
        moves: what became of each host that had to move.
        warnings: what a person should know.
    """

    moves: list[MigrationResult] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
