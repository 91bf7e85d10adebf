# SPDX-License-Identifier: Apache-2.0
"""What was written is what is read, packed or not; what was not there is a gap."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, func, select, update

from hostler.errors import InvalidInput, NotFound
from hostler.metrics.compact import compact, expire
from hostler.metrics.raw import Reading
from hostler.models.metrics import Aggregation, Interval
from hostler.models.metrics_config import MetricsConfig
from hostler.store import Store
from hostler.store.tables import (
    metric_chunks,
    metric_counters,
    metric_resources,
    metric_rounds,
)

from .past import down, hosts, pack_all, values, vms, write
from .readings import START, UUID, pool, reading, vm

pytestmark = pytest.mark.slow


def steady(first: float, last: float, *, every: float = 15, rate: int = 10) -> list[Reading]:
    """Readings of a VM that reads so many times a second."""
    count = int((last - first) // every) + 1
    times = [first + n * every for n in range(count)]
    return [reading(at, [vm(counters={"read_requests": int(rate * at)})]) for at in times]


def gaps(row: list[float | None]) -> list[int]:
    return [place for place, value in enumerate(row) if value is None]


def rows(store: Store, table: Table) -> int:
    with store.read() as db:
        return int(db.scalar(select(func.count()).select_from(table)) or 0)


def test_an_hour(store: Store) -> None:
    write(store, *steady(0, 3600))
    row = values(store, at=3600)
    assert row == [10] * 60
    assert pack_all(store, 3600) == 2
    assert values(store, at=3600) == [10] * 60
    assert rows(store, metric_rounds) == 2  # of the hour that has just begun


@pytest.mark.parametrize("interval", ["1m", "5m", "1h"])
@pytest.mark.parametrize("how", ["avg", "min", "max", "last"])
@pytest.mark.parametrize("metric", ["disk.read_iops", "state.up"])
def test_packing_changes_nothing(
    store: Store, interval: Interval, how: Aggregation, metric: str
) -> None:
    rounds, reads = [], 0
    for number in range(500):
        reads += number * 7919 % 1000
        state = 5 if number % 50 == 0 else 1
        rounds.append(reading(number * 15, [vm(counters={"read_requests": reads}, state=state)]))
    write(store, *rounds)
    query: dict[str, Any] = {"hours": 3, "interval": interval, "aggregation": how, "at": 7500}
    before = values(store, metric, **query)
    assert pack_all(store, 7500) == 4
    after = values(store, metric, **query)
    assert gaps(after) == gaps(before)
    pairs = zip(after, before, strict=True)
    assert all(a == pytest.approx(b, abs=0.011) for a, b in pairs if b is not None)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.integers(1, 2000), min_size=2, max_size=60), st.sampled_from(["1m", "5m"]))
def test_averages_are_those_of_the_samples(
    tmp_path_factory: pytest.TempPathFactory, reads: list[int], interval: Interval
) -> None:
    made = Store(f"sqlite:///{tmp_path_factory.mktemp('h')}/h.db")
    total, rounds = 0, []
    for number, some in enumerate(reads):
        total += some * 15
        rounds.append(reading(number * 15, [vm(counters={"read_requests": total})]))
    write(made, *rounds)
    step = {"1m": 4, "5m": 20}[interval]
    rates = [None, *map(float, reads[1:])]
    row = values(made, interval=interval, at=3599)
    for place, value in enumerate(row):
        known = [one for one in rates[place * step : (place + 1) * step] if one is not None]
        assert value == (pytest.approx(sum(known) / len(known), abs=0.01) if known else None)
    made.close()


@pytest.mark.fault
def test_a_host_gone_for_an_hour_is_a_gap(store: Store) -> None:
    write(store, *steady(0, 600), *steady(4200, 4800))
    row = values(store, hours=2, at=5000)
    assert [value for value in row if value is not None] == [10] * 22
    assert set(row) == {10, None}
    start = row.index(10)
    assert gaps(row[start:])[:59] == list(range(11, 70))


@pytest.mark.fault
def test_a_host_that_does_not_answer_is_down_and_nothing_else(store: Store) -> None:
    write(store, *steady(0, 45))
    down(store, 60)
    [found] = hosts(store, at=61, interval="1m", aggregation="last")
    assert found.metrics["state"] == {"up": 0}
    assert found.metrics["cpu"]["count"] == 4
    down(store, 0, "kvm2")
    [other] = hosts(store, at=1, interval="1m", wanted=["kvm2"])
    assert other.metrics["state"] == {"up": 0}
    others = {v for group, row in other.metrics.items() if group != "state" for v in row.values()}
    assert others == {None}


@pytest.mark.fault
def test_a_vm_that_appears_between_two_samples(store: Store) -> None:
    write(store, reading(0, [vm(1)]), reading(15, [vm(1), vm(2, counters=10**12)]))
    write(store, reading(30, [vm(1), vm(2, counters={"read_requests": 10**12 + 150})]))
    write(store, reading(45, [vm(1), vm(2, counters={"read_requests": 10**12 + 300})]))
    row = values(store, number=2, at=60, aggregation="max")
    assert [value for value in row if value is not None] == [10]


@pytest.mark.fault
def test_a_vm_that_was_restarted(store: Store) -> None:
    new = [
        reading(at, [vm(counters={"read_requests": int(10 * (at - 60))}, epoch=2)])
        for at in (75, 90, 105)
    ]
    write(store, *steady(0, 60), *new)
    row = values(store, at=120, aggregation="max")
    assert max(value for value in row if value is not None) == 10


@pytest.mark.fault
@pytest.mark.parametrize("back", [10.0, 1800.0, 7200.0])
def test_a_clock_that_was_set_back(store: Store, back: float) -> None:
    """Times repeat themselves; nothing is lost, nothing is negative, nothing is huge."""
    first = steady(7200, 9000)
    second = [
        reading(at - back, [vm(counters={"read_requests": int(10 * at)})], clock=at + 1000)
        for at in range(9015, 10800, 15)
    ]
    write(store, *first, *second)
    query: dict[str, Any] = {"hours": 4, "at": 10800, "interval": "1m"}
    row = values(store, **query)
    assert set(row) <= {10, None}
    pack_all(store, 10800)
    assert values(store, **query) == row
    assert values(store, hours=4, at=10800, interval="5m", aggregation="max").count(10) > 0


@pytest.mark.fault
def test_an_hour_that_comes_twice_is_added_to_what_is_packed(store: Store) -> None:
    write(store, *steady(0, 1800))
    pack_all(store, 3600)
    again = [
        reading(at + 1800, [vm(counters={"read_requests": int(20 * at)})], clock=at + 9000)
        for at in range(0, 1800, 15)
    ]
    write(store, *again)
    pack_all(store, 7200)
    row = values(store, at=3599)
    assert row[:30] == [10] * 30
    assert row[31:59] == [20] * 28


def test_two_collectors_count_nothing_twice(store: Store) -> None:
    """The second one's rates are of the time since the first one's."""
    for at in range(0, 600, 15):
        reads = [vm(counters={"read_requests": 10 * at})]
        write(store, reading(at, reads))
        later = [vm(counters={"read_requests": 10 * at + 30})]
        write(store, reading(at + 3, later))
    assert set(values(store, at=600)) == {10, None}


def test_a_vm_that_was_moved_has_one_history(store: Store) -> None:
    gone = [vm(state=5)]
    for at in range(0, 600, 15):
        here = [vm(counters={"read_requests": 10 * at})]
        there = [vm(counters={"read_requests": 20 * at}, epoch=7)]
        write(store, reading(at, here if at < 300 else gone))
        if at >= 300:
            write(store, reading(at, there), host="kvm2")
    [found] = vms(store, "vm1", at=600, hours=1, interval="1m", hosts=("kvm1", "kvm2"))
    assert (found.host, found.status) == ("kvm2", "running")
    assert found.history
    row = found.history.values["disk.read_iops"]
    assert [value for value in row if value is not None] == [10] * 5 + [20] * 5


def test_names(store: Store) -> None:
    write(store, reading(0, [vm(1, name="web-1"), vm(2, name="web-2"), vm(3, name="db")]))
    now: dict[str, Any] = {"at": 30, "interval": "1m"}
    assert [one.name for one in vms(store, **now)] == ["db", "web-1", "web-2"]
    assert [one.name for one in vms(store, "web-*", **now)] == ["web-1", "web-2"]
    assert [one.name for one in vms(store, UUID.format(3), **now)] == ["db"]
    with pytest.raises(NotFound, match=r"VM 'web-3': nothing was collected of it. Did you mean"):
        vms(store, "web-3", **now)
    write(store, reading(15, [vm(1, name="renamed"), vm(2), vm(3)]))
    assert [one.name for one in vms(store, "renamed", **now)] == ["renamed"]


def test_a_vm_that_is_long_gone_is_told_of_only_by_name(store: Store) -> None:
    write(store, reading(0, [vm(1), vm(2)]), *(reading(at, [vm(1)]) for at in range(15, 900, 15)))
    assert [one.name for one in vms(store, at=900, interval="5m")] == ["vm1"]
    [gone] = vms(store, "vm2", at=900, interval="5m")
    assert gone.status == "unknown"


def test_nothing_was_collected(store: Store) -> None:
    with pytest.raises(NotFound, match="hostler metrics collect"):
        vms(store, hours=1)


def test_one_figure_of_an_interval(store: Store) -> None:
    write(store, *steady(0, 600))
    [found] = vms(store, at=607, interval="5m", metrics=["disk.read_iops"])
    assert (found.metrics, found.history) == ({"disk": {"read_iops": 10}}, None)
    assert found.interval == "5m"


def test_pools(store: Store) -> None:
    write(store, *(reading(at, pools=[pool(used=at)]) for at in (0, 15, 30)))
    [found] = hosts(store, at=60, hours=1, interval="1m", aggregation="max")
    [only] = found.pools
    assert only.history
    assert only.history.values["pool.used_gb"][-2:] == [30, None]
    assert only.metrics["pool"]["used_gb"] == 30


def test_what_is_not_kept_so_finely_is_said(store: Store) -> None:
    write(store, *steady(0, 60))
    for hours, interval in ((25, "1m"), (31 * 24, "5m")):
        with pytest.raises(InvalidInput, match=r"are kept for \d+ hours. Choose a longer"):
            vms(store, hours=hours, interval=interval)
    assert vms(store, hours=365 * 24, interval="1d")


def test_retention(store: Store) -> None:
    """A day and a half with one day kept: what is older is there by 5 minutes only."""
    config = MetricsConfig(keep_raw_hours=2, keep_5m_days=1, keep_1h_days=2)
    write(store, *steady(0, 3600 * 6, every=30))
    pack_all(store, 3600 * 6)
    expire(store, config, START + 3600 * 6)
    assert gaps(values(store, at=3600 * 6, hours=6, interval="1m", config=MetricsConfig()))
    assert values(store, at=3600 * 6 - 1, hours=6, interval="5m", config=config) == [10] * 72
    expire(store, config, START + 86400 * 40)
    for table in (metric_chunks, metric_counters):
        assert rows(store, table) == 0
    expire(store, config, START + 86400 * 80)
    assert rows(store, metric_resources) == 0 or rows(store, metric_rounds)


@pytest.mark.fault
@pytest.mark.parametrize("table", [metric_rounds, metric_chunks, metric_counters])
def test_damaged_rows_are_gaps(store: Store, table: Table) -> None:
    write(store, *steady(0, 600))
    if table is metric_chunks:
        pack_all(store, 3600)
    with store.write() as db:
        db.execute(update(table).values(data=b"\1\2\3"))
    write(store, *steady(615, 660))
    known = [value for value in values(store, at=3600) if value is not None]
    assert known == [10] * (2 if table is not metric_counters else 11)
    pack_all(store, 7200)
    assert [value for value in values(store, at=3600) if value is not None] == known


def test_what_is_packed_is_packed_once(store: Store) -> None:
    write(store, *steady(0, 3600 * 2))
    assert pack_all(store, 3600 * 2) == 4
    assert not compact(store, START + 3600 * 2)
    with store.read() as db:
        starts = db.execute(select(metric_chunks.c.step, metric_chunks.c.start)).all()
    assert sorted(step for step, _ in starts) == [0] * 4 + [300] * 2 + [3600] * 2
