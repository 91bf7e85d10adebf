# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event filter hostler.fleet.once: passes an event on once within some seconds."""

from __future__ import annotations

import time
from typing import Any

DOCUMENTATION = r"""
short_description: Pass an event on once within some seconds
description:
  - Drops an event that is like one of the last O(seconds) seconds, so that a VM that crashes again
    and again, or a host that comes and goes, is acted on once.
  - Events are alike when the fields O(by) are equal.
options:
  seconds:
    description: For how long.
    type: float
    default: 60
  by:
    description: Fields that make events alike; a dot leads into a field.
    type: list
    elements: str
    default: [type, host, vm, data.new_status]
"""

EXAMPLES = r"""
- hostler.fleet.fleet_events:
  filters:
    - hostler.fleet.once:
        seconds: 300
"""

BY = ("type", "host", "vm", "data.new_status")
MOST = 10_000
"""Events that are remembered at most; the oldest are forgotten."""

_passed: dict[tuple[Any, ...], float] = {}


def main(
    event: dict[str, Any], seconds: float = 60, by: list[str] | tuple[str, ...] = BY
) -> dict[str, Any] | list[dict[str, Any]]:
    """Return the event, or nothing."""
    now = time.monotonic()
    key = tuple(str(_field(event, name)) for name in by)
    before = _passed.get(key)
    if before is not None and now - before < seconds:
        return []
    _passed.pop(key, None)
    _passed[key] = now
    if len(_passed) > MOST:
        del _passed[next(iter(_passed))]
    return event


def _field(event: Any, name: str) -> Any:
    for part in name.split("."):
        event = event.get(part) if isinstance(event, dict) else None
    return event
