# SPDX-License-Identifier: Apache-2.0
"""The steps of a launch that are not OpenStack's or Hyperstack's alone."""

from __future__ import annotations

from hostler.launches.steps.placement import CheckPlacement
from hostler.launches.steps.port import AttachStoragePort, CreateStoragePort

__all__ = ["AttachStoragePort", "CheckPlacement", "CreateStoragePort"]
