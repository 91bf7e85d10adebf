# SPDX-License-Identifier: Apache-2.0
"""A collector that is killed at any moment loses no sample and writes none twice."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from hostler.metrics.packing import Table
from hostler.metrics.tiers import RAW
from hostler.store import Store
from hostler.store.tables import metric_chunks, metric_resources, metric_rounds

from .collects import VMS

pytestmark = [pytest.mark.slow, pytest.mark.fault]

PROGRAM = Path(__file__).with_name("collects.py")


def samples(store: Store) -> Counter[tuple[int, int]]:
    """Count the samples by resource and time (milliseconds), packed or not."""
    found: Counter[tuple[int, int]] = Counter()
    with store.read() as db:
        for row in db.execute(select(metric_rounds)):
            ids = Table(bytes(row.data)).index()
            found.update((one, round(row.at * 1000)) for one in ids)
        for row in db.execute(select(metric_chunks).where(metric_chunks.c.step == RAW.step)):
            found.update((row.resource, at) for at in Table(bytes(row.data)).index())
    return found


def test_killed(tmp_path: Path) -> None:
    url, began = f"sqlite:///{tmp_path}/k.db", time.time() // 3600 * 3600
    told = 0
    for number in range(12):
        command = [sys.executable, str(PROGRAM), url, str(began)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
            assert program.stdout
            assert program.stdout.readline() == b"\n"
            time.sleep(number * 0.037 % 0.4)
            program.kill()
            told += 1 + program.stdout.read().count(b"\n")
    store = Store(url)
    found = samples(store)
    assert set(found.values()) == {1}
    with store.read() as db:
        kinds = {row.id: row.kind for row in db.execute(select(metric_resources))}
    each = Counter(resource for resource, _ in found)
    counts = {each[one] for one, kind in kinds.items() if kind == "vm"}
    assert sum(kind == "vm" for kind in kinds.values()) == VMS
    assert len(counts) == 1, "some VMs have more samples than others"
    # One that was killed may have written a round that it could not tell of any more.
    assert told <= counts.pop() <= told + 12
    store.close()
