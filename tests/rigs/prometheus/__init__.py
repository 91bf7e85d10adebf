# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Prometheus (Debian's) with a port and a folder of its own. It scrapes every second."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

DATA = Path(__file__).resolve().parents[3] / ".cache" / "rigs" / "prometheus"
SECONDS = 20


class Prometheus:
    """One Prometheus.

    Args:
        scrapes: the addresses (``127.0.0.1:9723``) that it scrapes.
        rules: files of rules, which it evaluates every second.
    """

    def __init__(self, scrapes: Sequence[str] = (), *, rules: Sequence[Path] = ()) -> None:
        self._scrapes = list(scrapes)
        self._rules = [str(rule) for rule in rules]
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        DATA.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(dir=DATA))
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start it; what it had is there again."""
        program = shutil.which("prometheus")
        assert program, "there is no prometheus; run: make setup"
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": self._rules,
            "scrape_configs": [
                {"job_name": "hostler", "static_configs": [{"targets": self._scrapes}]}
            ],
        }
        (self._folder / "prometheus.yml").write_text(json.dumps(config))
        log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen(
            [
                program,
                f"--config.file={self._folder}/prometheus.yml",
                f"--storage.tsdb.path={self._folder}/data",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            stdout=log,
            stderr=log,
        )
        log.close()
        self.wait(lambda: self._answers("/-/ready"), "it is not ready")

    def stop(self, *, by: signal.Signals = signal.SIGTERM) -> None:
        """End it."""
        if self._process is not None:
            self._process.send_signal(by)
            self._process.wait(SECONDS)
            self._process = None

    def value(self, query: str) -> float | None:
        """Return the value of a query now; None where there is none."""
        answer = requests.get(f"{self.url}/api/v1/query", {"query": query}, timeout=SECONDS)
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    def wait(self, good: Callable[[], object], why: str, seconds: float = SECONDS) -> None:
        """Wait until something is true."""
        end = time.monotonic() + seconds
        while not good():
            log = (self._folder / "log").read_text()[-2000:]
            assert time.monotonic() < end, f"Prometheus: {why}: {log}"
            time.sleep(0.1)

    def _answers(self, path: str) -> bool:
        with suppress(requests.RequestException):
            return requests.get(self.url + path, timeout=2).ok
        return False


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
