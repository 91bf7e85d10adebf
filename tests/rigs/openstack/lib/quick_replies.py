# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""oslo.messaging looks for an RPC's reply every half second; look sooner.

Source: https://launchpad.net/bugs/2035113
"""

from __future__ import annotations

import time
from typing import Any


class _QuickTime:
    """The module `time` with short naps."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.005))


def install() -> None:
    """Have this process see replies within 5 ms."""
    from oslo_messaging._drivers import amqpdriver

    amqpdriver.time = _QuickTime()
