# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three hypervisors as a pool: near, far away, with VMs to move from one to the others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import libvirt

from benchmarks.measure import Failed, Run
from benchmarks.rig import DOMAIN, HALT_ROM, NET, PREFIX, RIGS, far_away, remove, vms

RAW = Path(__file__).resolve().parent / "raw"
HOSTS = ("pa", "pb", "pc")
MOVED = 10


@contextmanager
def three() -> Iterator[list[str]]:
    """Start three hypervisors and give their URIs; they are taken down afterwards."""
    _rig("up", *HOSTS)
    lines = [line.split() for line in _rig("status").splitlines()]
    try:
        yield [uri for name, uri, *_more in lines if name in HOSTS]
    finally:
        _rig("down", *HOSTS)


def _rig(*words: str) -> str:
    done = subprocess.run(
        [RIGS / "hosts.sh", *words],
        env={**os.environ, "HOSTLER_RIG_NET": NET},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


@contextmanager
def away(uris: Sequence[str], round_trip_ms: float) -> Iterator[list[str]]:
    """Give URIs of the same hypervisors, each behind a proxy of its own that takes its time."""
    with ExitStack() as stack:
        yield [stack.enter_context(far_away(uri, round_trip_ms)) for uri in uris]


@contextmanager
def filled(uris: Sequence[str], count: int) -> Iterator[None]:
    """Define so many VMs on each."""
    with ExitStack() as stack:
        for uri in uris:
            stack.enter_context(vms(uri, count))
        yield


def told(script: str, *words: object) -> Any:
    """Run a script that prints JSON, with a store of its own.

    Raises:
        Failed: it ended with an error.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [str(word) for word in (sys.executable, RAW / script, *words)],
            env={**os.environ, "HOSTLER_STORE": f"sqlite:///{folder}/pool.db"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise Failed(f"{script}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def drain(uris: Sequence[str], parallel: int, store: Path) -> Run:
    """Return what empties the first host of ten running VMs, so many at once."""

    def prepare() -> None:
        store.unlink(missing_ok=True)
        for uri in uris[1:]:
            remove(uri)
        _restart(uris[0])

    return Run(
        [sys.executable, RAW / "drain.py", parallel, *uris],
        {"HOSTLER_STORE": f"sqlite:///{store}"},
        prepare=prepare,
        at_most=3,
    )


def _restart(uri: str) -> None:
    """Have ten VMs run on a host: those of the last round were moved away."""
    remove(uri)
    with closing(libvirt.open(uri)) as connection:
        for number in range(MOVED):
            name = f"{PREFIX}{number:04}"
            xml = DOMAIN.format(name=name, kind="kvm", rom=HALT_ROM, devices="")
            connection.defineXML(xml).create()
