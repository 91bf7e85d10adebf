# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which metrics, of what time."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  metrics:
    description:
      - Names of metrics such as V(cpu.usage_percent), or groups such as V(cpu); all where left out.
      - A text with commas between them will do too.
    type: list
    elements: str
  interval:
    description:
      - One figure of the time that has just passed, from the history.
      - With O(hours), the time between two points of the history.
      - Where both are left out the hosts are asked what is now.
    type: str
    choices: [1m, 5m, 1h, 1d]
  hours:
    description: History of this many hours.
    type: int
  aggregation:
    description: What is made of the samples in an interval.
    type: str
    choices: [avg, min, max, last]
    default: avg
  window:
    description:
      - Seconds between two looks at a host, which rates are measured by.
      - There is but one look where the store has a sample that is not older than three times
        C(metrics.interval) of the configuration, nor newer than this.
    type: float
    default: 1
  timeout:
    description: Seconds that each host gets to answer.
    type: float
    default: 30
"""
