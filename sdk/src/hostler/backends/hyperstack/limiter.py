# SPDX-License-Identifier: Apache-2.0
"""So many requests a minute, for all threads of this process together."""

from __future__ import annotations

import threading
import time
from collections import deque

WINDOW = 60.0


class Limiter:
    """Lets callers through, at most ``rate`` in any minute."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._let_through: deque[float] = deque()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when it is the caller's turn."""
        while pause := self._turn():
            time.sleep(pause)

    def _turn(self) -> float:
        """Let the caller through now (0), or say after how many seconds to ask again."""
        with self._lock:
            now = time.monotonic()
            while self._let_through and self._let_through[0] <= now - WINDOW:
                self._let_through.popleft()
            if len(self._let_through) < self.rate:
                self._let_through.append(now)
                return 0.0
            return self._let_through[0] + WINDOW - now


_limiters: dict[str, Limiter] = {}
_guard = threading.Lock()


def limiter_of(url: str, rate: int) -> Limiter:
    """Return the process's limiter for a URL; the latest rate holds for all who share it."""
    with _guard:
        limiter = _limiters.setdefault(url, Limiter(rate))
        limiter.rate = rate
        return limiter
