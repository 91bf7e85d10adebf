# SPDX-License-Identifier: Apache-2.0
"""Prometheus: its HTTP API, to read from."""

from __future__ import annotations

from hostler.backends.prometheus.client import Prometheus, Series

__all__ = ["Prometheus", "Series"]
