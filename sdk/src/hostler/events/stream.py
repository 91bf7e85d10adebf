# SPDX-License-Identifier: Apache-2.0
"""EventStream: the events of many sources, for ``for`` and for ``async for``."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from types import TracebackType
from typing import Protocol, Self

from hostler.errors import InternalError
from hostler.models.event import Event

Wanted = Callable[[Event], bool]


class Source(Protocol):
    """What yields events; it runs in a thread of its own."""

    def watch(self, stop: threading.Event) -> Iterator[Event]:
        """Yield events until ``stop`` is set; a reader that is slow makes it wait."""


class EventStream:
    """Events as they come; it listens from the moment that it is made.

    It ends when it is closed: by ``with``, ``close()``, its fleet, or when nobody has it any more.

    Args:
        sources: where events come from.
        wanted: which of them are passed on.
        size: how many wait for a reader; then the sources wait, each with a bound of its own.
    """

    def __init__(self, sources: Iterable[Source], *, wanted: Wanted, size: int) -> None:
        self._box = _Box(size)
        self._end = weakref.finalize(self, self._box.close)
        for source in sources:
            work = (source, wanted, self._box)
            threading.Thread(target=_work, args=work, daemon=True, name="events").start()

    def get(self, timeout: float | None = None) -> Event | None:
        """Return the next event; None where none comes in time, or the stream is closed.

        Args:
            timeout: seconds to wait; for ever where left out.

        Raises:
            InternalError: a source has a defect.
        """
        return self._box.get(timeout)

    def close(self) -> None:
        """Stop listening."""
        self._end()

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        event = self._box.get(None)
        if event is None:
            raise StopIteration
        return event

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while (event := self._box.get(0)) is None:
            if self._box.stop.is_set():
                raise StopAsyncIteration
            await self._box.arrival()
        return event

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _work(source: Source, wanted: Wanted, box: _Box) -> None:
    try:
        for event in source.watch(box.stop):
            if wanted(event) and not box.put(event):
                return
    except Exception as error:  # noqa: BLE001 - raised again in the reader's thread
        box.put(InternalError(f"{type(error).__name__}: {error}", on="events"))


class _Box:
    """Events between threads: bounded, and a reader may be a coroutine."""

    def __init__(self, size: int) -> None:
        self.stop = threading.Event()
        self._size = size
        self._items: deque[Event | InternalError] = deque()
        self._changed = threading.Condition()
        self._wake: list[Callable[[], object]] = []

    def put(self, item: Event | InternalError) -> bool:
        """Wait for room; False where nobody will read it any more."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._items) < self._size or self.stop.is_set())
            if self.stop.is_set():
                return False
            self._items.append(item)
            self._tell()
        return True

    def get(self, timeout: float | None) -> Event | None:
        until = None if timeout is None else monotonic() + timeout
        with self._changed:
            self._changed.wait_for(
                lambda: self._items or self.stop.is_set(), until and until - monotonic()
            )
            if not self._items or self.stop.is_set():
                return None
            item = self._items.popleft()
            self._changed.notify_all()
        if isinstance(item, InternalError):
            raise item
        return item

    async def arrival(self) -> None:
        """Wait until there may be something, or the stream is closed."""
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(arrived.set)

        with self._changed:
            if self._items or self.stop.is_set():
                return
            self._wake.append(wake)
        try:
            await arrived.wait()
        finally:
            with self._changed:
                if wake in self._wake:
                    self._wake.remove(wake)

    def close(self) -> None:
        self.stop.set()
        with self._changed:
            self._tell()

    def _tell(self) -> None:
        self._changed.notify_all()
        while self._wake:
            self._wake.pop()()
