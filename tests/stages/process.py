# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one stage and counts what it says."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from stages.stage import ROOT, Kind, Outcome, Stage

NO_TESTS = 5  # pytest's exit code
SUMMARY = re.compile(r"\bin \d+\.\d+s")
COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped)")

TOOLS = Path(sys.executable).parent

_running: set[subprocess.Popen[bytes]] = set()


def stop() -> None:
    """End every command that runs now, with all that it started."""
    for process in tuple(_running):
        _kill(process)


def run(stage: Stage) -> Outcome:
    """Run a stage to its end, its output in its log."""
    start = time.monotonic()
    environment = _environment(stage)
    if missing := _missing(stage, environment):
        stage.log.write_text(f"{missing}\n")
        return Outcome(stage, time.monotonic() - start, 0, 1, missing)
    code = _run(stage, environment)
    passed, failed, reason = _count(stage, code)
    return Outcome(stage, time.monotonic() - start, passed, failed, reason)


def _environment(stage: Stage) -> dict[str, str]:
    path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "LC_ALL": "C.UTF-8", **stage.env}


def _missing(stage: Stage, environment: dict[str, str]) -> str:
    for program in {stage.argv[0], *stage.rig[:1]}:
        if shutil.which(program, path=environment["PATH"]) is None:
            return f"{program} is not installed: run `{stage.setup}`"
    if stage.rig:
        probe = subprocess.run(
            stage.rig,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if probe.returncode:
            return f"`{' '.join(stage.rig)}` fails: run `{stage.setup}`\n{probe.stderr.strip()}"
    return ""


def _run(stage: Stage, environment: dict[str, str]) -> int | str:
    """The exit code, or what stopped the stage. What the command started ends with it."""
    with stage.log.open("w") as log:
        process = subprocess.Popen(
            stage.argv,
            cwd=ROOT / stage.cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        _running.add(process)
        try:
            return process.wait(stage.timeout)
        except subprocess.TimeoutExpired:
            return f"not done after {stage.timeout} s"
        finally:
            _kill(process)
            _running.discard(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _count(stage: Stage, code: int | str) -> tuple[int, int, str]:
    """Tests passed, tests failed and, if the stage is bad, why. A skipped test counts as failed."""
    bad = code if isinstance(code, str) else f"exit code {code}" if code else ""
    if stage.kind is Kind.CHECK:
        return (0, 1, bad) if bad else (1, 0, "")
    lines = stage.log.read_text(errors="replace").splitlines()
    summary = next((line for line in reversed(lines) if SUMMARY.search(line)), "")
    counts = {word.rstrip("s"): int(number) for number, word in COUNT.findall(summary)}
    passed = counts.pop("passed", 0)
    failed = sum(counts.values())
    if code in {0, NO_TESTS} and not passed + failed:
        bad = "no test ran"
    elif not bad and failed:
        bad = f"{counts['skipped']} skipped"
    return passed, max(failed, 1) if bad else 0, bad
