# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks of metrics run, and Debian's exporter of libvirt's figures beside them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.measure import Failed

RAW = Path(__file__).resolve().parent / "raw"
EXPORTER = "prometheus-libvirt-exporter"
PATIENCE = 20


def told(script: str, *words: object) -> Any:
    """Run a script that keeps a store, and return what it prints.

    Raises:
        Failed: it ended with an error.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, RAW / script, *words]
        command = [*command[:-1], f"sqlite:///{folder}/h.db", command[-1]]
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise Failed(f"{script}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def collect(uri: str, env: Mapping[str, str]) -> None:
    """Have the collector run once, more than a second ago."""
    hostler = Path(sys.executable).parent / "hostler"
    command = [str(hostler), "--uri", uri, "metrics", "collect"]
    subprocess.run(command, env={**os.environ, **env}, check=True, stdout=subprocess.DEVNULL)
    time.sleep(1.1)


@contextmanager
def exporter(uri: str) -> Iterator[str]:
    """Run Debian's exporter for a hypervisor; gives its address."""
    program = shutil.which(EXPORTER)
    if program is None:
        raise Failed(f"there is no {EXPORTER}; install Debian's package of that name")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [program, f"--web.listen-address=127.0.0.1:{port}", f"--libvirt.uri={uri}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        yield f"http://127.0.0.1:{port}/metrics"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 1)):
            return
        time.sleep(0.1)
    raise Failed(f"{EXPORTER} does not answer")
