# SPDX-License-Identifier: Apache-2.0
"""The steps of moving a GPU host."""

from __future__ import annotations

from hostler.gpu.steps.aggregates import (
    AddToAggregate,
    CheckPlace,
    MirrorInPlacement,
    RemoveFromAggregate,
)
from hostler.gpu.steps.compute import DisableCompute, EnableCompute
from hostler.gpu.steps.locks import ReleaseLock, TakeLock
from hostler.gpu.steps.servers import CountServers, MigrateServer

__all__ = [
    "AddToAggregate",
    "CheckPlace",
    "CountServers",
    "DisableCompute",
    "EnableCompute",
    "MigrateServer",
    "MirrorInPlacement",
    "ReleaseLock",
    "RemoveFromAggregate",
    "TakeLock",
]
