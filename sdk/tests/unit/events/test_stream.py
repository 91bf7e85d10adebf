# SPDX-License-Identifier: Apache-2.0
"""The stream of events: sources side by side, readers of both kinds, bounds, ends."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hostler import Fleet
from hostler.errors import InternalError, InvalidInput, NotFound
from hostler.events.stream import EventStream
from hostler.models.event import TYPES, Event

pytestmark = pytest.mark.slow

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def event(number: int, type: str = "vm.rebooted", vm: str | None = "web") -> Event:
    return Event(type=type, timestamp=NOW, source="test", vm=vm, data={"number": number})


class Counts:
    """Yields so many events, and remembers how far it came."""

    def __init__(self, total: int) -> None:
        self.total, self.yielded = total, 0
        self.ended = threading.Event()

    def watch(self, stop: threading.Event) -> Iterator[Event]:
        for number in range(self.total):
            self.yielded += 1
            yield event(number)
        stop.wait()
        self.ended.set()


class Breaks:
    """A source with a defect."""

    def watch(self, stop: threading.Event) -> Iterator[Event]:
        yield event(0)
        raise ZeroDivisionError("oops")


def stream(*sources: Counts | Breaks, size: int = 100) -> EventStream:
    return EventStream(sources, wanted=lambda _: True, size=size)


def numbers(events: Iterator[Event], count: int) -> list[int]:
    return [next(events).data["number"] for _ in range(count)]


def test_events_come_in_order() -> None:
    with stream(Counts(50)) as events:
        assert numbers(events, 50) == list(range(50))
        assert events.get(0) is None


def test_many_sources() -> None:
    with stream(*(Counts(10) for _ in range(20))) as events:
        assert sorted(numbers(events, 200)) == sorted([*range(10)] * 20)


@pytest.mark.fault
def test_a_slow_reader_makes_sources_wait() -> None:
    source = Counts(10_000)
    with stream(source, size=10) as events:
        time.sleep(0.1)
        assert source.yielded <= 11
        assert numbers(events, 10_000) == list(range(10_000))


@pytest.mark.fault
def test_a_defect_reaches_the_reader() -> None:
    with stream(Breaks()) as events:
        assert next(events).data == {"number": 0}
        with pytest.raises(InternalError, match="ZeroDivisionError: oops"):
            next(events)


def test_closing_ends_readers_and_sources() -> None:
    source = Counts(0)
    events = stream(source)
    threading.Timer(0.05, events.close).start()
    assert list(events) == []
    assert source.ended.wait(5)


def test_a_stream_that_nobody_has_ends() -> None:
    source = Counts(1)
    for one in stream(source):
        assert one.data == {"number": 0}
        break
    gc.collect()
    assert source.ended.wait(5)


def test_async() -> None:
    async def read() -> list[int]:
        found = []
        with stream(Counts(500), size=7) as events:
            async for one in events:
                found.append(one.data["number"])
                if len(found) == 500:
                    break
        return found

    assert asyncio.run(read()) == list(range(500))


def test_an_async_reader_can_be_cancelled_and_loses_nothing() -> None:
    async def read() -> list[int]:
        release = threading.Event()

        class Late:
            def watch(self, stop: threading.Event) -> Iterator[Event]:
                release.wait()
                yield from map(event, range(3))
                stop.wait()

        with EventStream([Late()], wanted=lambda _: True, size=10) as events:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(events), 0.05)
            release.set()
            return [(await anext(events)).data["number"] for _ in range(3)]

    assert asyncio.run(read()) == [0, 1, 2]


def test_an_async_reader_ends_with_its_stream() -> None:
    async def read() -> list[Event]:
        events = stream(Counts(0))
        asyncio.get_running_loop().call_later(0.05, events.close)
        return [one async for one in events]

    assert asyncio.run(read()) == []


class Some:
    """Events of several kinds."""

    def watch(self, stop: threading.Event) -> Iterator[Event]:
        yield event(1, "vm.status.changed", "web1")
        yield event(2, "vm.status.changed", "db1")
        yield event(3, "host.status.changed", None)
        yield event(4, "vm.rebooted", "web1")
        yield event(5, "events.lost", None)
        stop.wait()


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"types": ["vm.status.changed"]}, [1, 2, 5]),
        ({"types": ["vm.*"]}, [1, 2, 4, 5]),
        ({"vms": ["web*"]}, [1, 3, 4, 5]),
        ({"vms": ["web*"], "types": ["vm.status.*"]}, [1, 5]),
    ],
)
def test_filters(filters: dict[str, list[str]], wanted: list[int]) -> None:
    with Fleet(uri="test:///default") as fleet:
        events = fleet.events(hosts=(), sources=[Some()], **filters)  # type: ignore[arg-type]
        assert numbers(events, len(wanted)) == wanted


def test_a_fleet_closes_its_streams() -> None:
    source = Counts(0)
    with Fleet(uri="test:///default") as fleet:
        events = fleet.events(hosts=(), sources=[source])
    assert list(events) == []
    assert source.ended.wait(5)


def test_bad_input() -> None:
    with Fleet(uri="test:///default") as fleet:
        with pytest.raises(InvalidInput, match="more than 0"):
            fleet.events(size=0)
        with pytest.raises(NotFound, match="no such host"):
            fleet.events(hosts=["nowhere"])


def test_every_type_is_told_of() -> None:
    assert all(name == name.lower() and " " not in name for name in TYPES)
