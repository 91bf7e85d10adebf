# SPDX-License-Identifier: Apache-2.0
"""Runs calls side by side, up to a moment in time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import libvirt

from hostler.backends.libvirt.faults import translate
from hostler.errors import HostlerError, Timeout

T = TypeVar("T")


def side_by_side(
    calls: Sequence[Callable[[], T]], *, threads: int, until: float
) -> list[T | Exception]:
    """Return each call's answer, or its error, in the place of the call.

    A call that is not back at ``until`` (``time.monotonic()``) is left behind, a Timeout in its
    place. The threads are daemons: a call into a dead host must not keep a program from ending.
    """
    answers: list[T | Exception] = [Timeout("no answer in time") for _ in calls]
    todo = deque(enumerate(calls))

    def work() -> None:
        while todo:
            try:
                index, call = todo.popleft()
            except IndexError:
                return  # another thread took the last one
            try:
                answers[index] = call()
            except Exception as error:  # noqa: BLE001 - the caller's to judge
                answers[index] = error

    workers = [threading.Thread(target=work, daemon=True) for _ in range(min(threads, len(calls)))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))
    todo.clear()
    return list(answers)


def answers(
    calls: Sequence[Callable[[], Any]], *, threads: int, until: float, on: str
) -> list[Any]:
    """Run calls side by side; our errors (on ``on``) in place of libvirt's, others are raised."""
    return [_ours(a, on) for a in side_by_side(calls, threads=threads, until=until)]


def _ours(answer: Any, on: str) -> Any:
    if isinstance(answer, libvirt.libvirtError):
        return translate(answer, on)
    if isinstance(answer, Exception) and not isinstance(answer, HostlerError):
        raise answer
    return answer
