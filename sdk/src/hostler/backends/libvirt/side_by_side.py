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

AT_FIRST = 16
"""Threads to begin with."""
PATIENCE = 0.005
"""Seconds to wait for one of them to come back."""


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
    for worker in _started(workers, todo, until):
        worker.join(max(0.0, until - time.monotonic()))
    todo.clear()
    return list(answers)


def _started(
    workers: Sequence[threading.Thread], todo: Sequence[object], until: float
) -> Sequence[threading.Thread]:
    """Start a few; twice as many whenever nobody came back in a while: the hypervisor is far.

    One that is near answers sooner than a thread starts: more threads would only cost.
    """
    number = 0
    while todo and number < len(workers):
        several = workers[number : 2 * number or AT_FIRST]
        for worker in several:
            worker.start()
        number += len(several)
        left = 0
        while todo and left != len(todo) and time.monotonic() < until:
            left = len(todo)
            time.sleep(PATIENCE)
    return workers[:number]


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
