# SPDX-License-Identifier: Apache-2.0
"""The database: SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

from hostler.store.store import Store, default_url

__all__ = ["Store", "default_url"]
