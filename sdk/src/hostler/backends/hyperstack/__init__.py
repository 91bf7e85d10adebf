# SPDX-License-Identifier: Apache-2.0
"""Hyperstack: its API over requests. Reads are repeated where that helps, writes never are."""

from __future__ import annotations

from hostler.backends.hyperstack.api import HyperstackApi

__all__ = ["HyperstackApi"]
