# SPDX-License-Identifier: Apache-2.0
"""The SDK's version; the collection's galaxy.yml carries the same one."""

from __future__ import annotations

__version__ = "0.1.0"
