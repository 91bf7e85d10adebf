# SPDX-License-Identifier: Apache-2.0
"""The ``gpu`` part of fleet.yml: how names of aggregates and flavors are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Pool = Literal["ondemand", "spot", "runpod", "contract"]
POOLS: tuple[Pool, ...] = ("ondemand", "spot", "runpod", "contract")

GPU_TYPES = (
    "A100", "A40", "B200", "B300", "GH200", "H100", "H100-SXM5", "H200", "H200-SXM5", "L40", "L40S",
    "RTX-4090", "RTX-5090", "RTX-6000-ADA", "RTX-A4000", "RTX-A5000", "RTX-A6000",
    "RTX-PRO6000-SE",
)  # fmt: skip

_REGULAR = r"(?P<gpu>[A-Z0-9]+(?:-[A-Z0-9]+)*)-n3(?:-(?P<variant>NVLink))?"


class PoolPattern(BaseModel):
    """How the aggregates of one pool are named.

    Attributes:
        pool: the pool.
        pattern: a regular expression that the whole name has to match. Its group ``gpu`` is the
            GPU type; without one, the longest known type within the name is taken. Its group
            ``variant`` is the variant, and ``name`` a contract's name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pool: Pool
    pattern: str

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        return pattern


DEFAULT_PATTERNS = (
    PoolPattern(pool="spot", pattern=f"{_REGULAR}-spot"),
    PoolPattern(pool="runpod", pattern=f"{_REGULAR}-runpod"),
    PoolPattern(pool="ondemand", pattern=_REGULAR),
    PoolPattern(pool="contract", pattern=r"[Cc]ontract-(?P<name>.+)"),
)


class GpuConfig(BaseModel):
    """How GPU hosts are told apart.

    Attributes:
        types: names of GPU types, as they stand in names of contract aggregates and of flavors.
        type_aliases: other names of a type (``A4000: RTX-A4000``).
        patterns: how aggregates are named; the first that matches decides.
        capacity: GPUs of a host by GPU type, for hosts of which placement says nothing.
        resource_classes: regular expressions of placement's resource classes that are GPUs.
        pci_aliases: GPU type by PCI alias of flavors; an alias that contains the name of a type
            or ``gpu`` is known without.
        busy_percent: from this use on GPUs of a pool are short, and hosts better stay in it or go
            there.
        lock_minutes: how long a move may hold its lock on a host before others take it for dead.
        drain_timeout: seconds that one server gets to migrate.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    types: tuple[str, ...] = GPU_TYPES
    type_aliases: Mapping[str, str] = {"A4000": "RTX-A4000", "RTX-6000-PRO-SE": "RTX-PRO6000-SE"}
    patterns: tuple[PoolPattern, ...] = DEFAULT_PATTERNS
    capacity: Mapping[str, int] = {}
    resource_classes: tuple[str, ...] = (
        "VGPU", "PGPU", r"CUSTOM_(?:.*_)?V?GPU(?:_.*)?", "CUSTOM_PCI_10DE_.*", "CUSTOM_PCI_1002_.*",
    )  # fmt: skip
    pci_aliases: Mapping[str, str] = {}
    busy_percent: int = Field(80, ge=1, le=100)
    lock_minutes: int = Field(30, ge=1, le=1440)
    drain_timeout: int = Field(900, ge=1, le=86400)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for gpu, count in self.capacity.items():
            if count < 1:
                raise ValueError(f"capacity of {gpu} must be at least 1")
        for text in self.resource_classes:
            PoolPattern(pool="spot", pattern=text)
        return self
