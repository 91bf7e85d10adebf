# SPDX-License-Identifier: Apache-2.0
"""CI tries the same generated examples each time; elsewhere every run tries new ones."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")
