# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for systems that can't be had for a test; for your own tests too."""

from __future__ import annotations
