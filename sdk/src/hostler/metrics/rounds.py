# SPDX-License-Identifier: Apache-2.0
"""Writes a round: what all hosts told at one time, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from hostler.errors import HostlerError
from hostler.metrics import rates, resources
from hostler.metrics.packing import FAST, UNKNOWN, Table, pack
from hostler.metrics.rates import Before, Sample
from hostler.metrics.raw import VM_COUNTERS, Counters, Reading
from hostler.metrics.resources import Key
from hostler.store import Store
from hostler.store.lock import serialise
from hostler.store.tables import metric_counters, metric_rounds

Readings = Mapping[str, Reading | HostlerError]
"""By the host's id, or URI."""

Taken = dict[Key, Sample]


def write(store: Store, readings: Readings, *, now: float, gap: float) -> None:
    """Write what hosts told; what one that is unreachable is, too.

    Rates are made from the counters that are in the store, in the same transaction: neither a
    second collector nor one that was killed counts anything twice.

    Raises:
        BackendError: the database failed; nothing of the round is written.
    """
    with store.write() as db:
        serialise(db)
        for host, reading in readings.items():
            if isinstance(reading, HostlerError):
                _write_samples(db, host, {("host", ""): rates.DOWN}, {}, now)
                continue
            first = last(db, host)
            names = {_vm(vm.uuid): vm.name for vm in reading.vms}
            ids = _write_samples(db, host, taken(reading, first, gap), names, reading.at)
            _keep(db, host, rates.before(reading), ids)


def taken(reading: Reading, first: Before | None, gap: float) -> Taken:
    """Return the samples of a host, its VMs and its pools."""
    seconds = rates.seconds_between(first, reading, gap)
    vms = rates.vm_samples(reading, first, seconds)
    found: Taken = {("host", ""): rates.host_sample(reading, vms, first, seconds)}
    for pool in reading.pools or ():
        found["pool", pool.name] = rates.pool_sample(pool)
    for vm, sample in zip(reading.vms, vms, strict=True):
        found["vm", vm.uuid] = sample
    return found


def _write_samples(
    db: Connection, host: str, samples: Taken, names: Mapping[Key, str], at: float
) -> dict[Key, int]:
    """Write samples; returns the numbers of their resources."""
    known = {key: names.get(key, key[1] or host) for key in samples}
    ids = resources.numbers(db, host, known, at)
    rows = []
    for kind in dict.fromkeys(key[0] for key in samples):
        mine = [(ids[key], sample) for key, sample in samples.items() if key[0] == kind]
        mine.sort()
        data = _table([one for one, _ in mine], [sample for _, sample in mine])
        rows.append({"kind": kind, "host": host, "at": at, "data": data})
    db.execute(insert(metric_rounds), rows)
    return ids


def _table(index: Sequence[int], rows: Iterable[Sequence[int]]) -> bytes:
    return pack(index, zip(*rows, strict=True), level=FAST)


def last(db: Connection, host: str) -> Before | None:
    """Return the counters of a host that were last read; None where there are none."""
    row = db.execute(select(metric_counters).where(metric_counters.c.host == host)).first()
    if row is None:
        return None
    with suppress(ValueError, KeyError):  # of another version: the next rates are a gap
        head, _, packed = bytes(row.data).partition(b"\n")
        about = json.loads(head)
        return Before(
            row.at, about["clock"], about["boot"], tuple(about["cpu"]), _vms(db, host, packed)
        )
    return None


def _vms(db: Connection, host: str, packed: bytes) -> dict[str, tuple[int, Counters]]:
    table = Table(packed)
    ids = table.index()
    columns = [table.column(place) for place in range(len(VM_COUNTERS) + 1)]
    keys = {one.id: one.key for one in resources.read(db, "vm", [host])}
    rows = zip(ids, *columns, strict=True)
    return {
        keys[one]: (epoch, tuple(None if n == UNKNOWN else n for n in counters))
        for one, epoch, *counters in rows
        if one in keys
    }


def _keep(db: Connection, host: str, first: Before, ids: Mapping[Key, int]) -> None:
    about = {"clock": first.clock, "boot": first.boot, "cpu": first.cpu}
    vms = sorted((ids[_vm(uuid)], *counters) for uuid, counters in first.vms.items())
    rows = [(run, *(UNKNOWN if n is None else n for n in counted)) for _, run, counted in vms]
    packed = pack([one for one, *_ in vms], zip(*rows, strict=True), level=FAST)
    data = json.dumps(about).encode() + b"\n" + packed
    values: dict[str, Any] = {"host": host, "at": first.at, "data": data}
    db.execute(delete(metric_counters).where(metric_counters.c.host == host))
    db.execute(insert(metric_counters).values(**values))


def _vm(uuid: str) -> Key:
    return "vm", uuid
