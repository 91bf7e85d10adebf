# SPDX-License-Identifier: Apache-2.0
"""hostler gpu move and unlock: what is shown and asked, what is done, and Ctrl-C on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rigs.openstack.faults import Faults, Rule
from typer.testing import CliRunner

from hostler import Fleet
from hostler.cli.app import app

from .moving import ADD_FIRST, clean, is_clean, someone_elses_lock, truth

pytestmark = pytest.mark.usefixtures("changed")

HOST, SOURCE, TARGET = ADD_FIRST
MOVE = ("move", HOST, "--to", TARGET)


@pytest.fixture
def run(environment: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:  # noqa: ARG001
    monkeypatch.setenv("COLUMNS", "80")

    def invoke(*args: str, code: int = 0) -> Any:
        result = CliRunner().invoke(app, ["gpu", *args, "--cloud", "box"])
        assert result.exit_code == code, result.output + repr(result.exception)
        return result

    return invoke


def test_preview(run: Callable[..., Any]) -> None:
    shown = run(*MOVE, "--check", "--diff").stdout
    assert f"{HOST}: move host {HOST} from {SOURCE} to {TARGET}" in shown
    assert f"  $ openstack aggregate add host {TARGET} {HOST}\n" in shown
    assert f"-- {SOURCE}" in shown
    assert f"+- {TARGET}" in shown
    (data,) = json.loads(run(*MOVE, "--check", "--json").stdout)
    assert (data["changed"], data["verification"]["in_source"]) == (True, True)
    is_clean(HOST, SOURCE)


def test_move_and_again(run: Callable[..., Any]) -> None:
    assert "this needs a yes. Add --yes" in run(*MOVE, code=2).stderr
    is_clean(HOST, SOURCE)
    rows = [line.split() for line in run(*MOVE, "--yes").stdout.splitlines()]
    assert [HOST, "changed", SOURCE, TARGET, TARGET] in [row[:5] for row in rows]
    is_clean(HOST, TARGET)
    assert f"{HOST}: nothing to do, it is in {TARGET}." in run(*MOVE, "--yes").stdout


def test_several_by_their_pool(run: Callable[..., Any]) -> None:
    done = run("move", HOST, "gpu-host-007", "--pool", "runpod", "--yes", "--json").stdout
    assert [one["target_aggregate"] for one in json.loads(done)] == [TARGET, "RTX-A4000-n3-runpod"]
    is_clean("gpu-host-007", "RTX-A4000-n3-runpod")


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("move", "gpu-host-001", "--to", TARGET), 1, "2 servers run on it: a-train-1, a-train-2."),
        (("move", HOST, "gpu-host-001", "--to", TARGET), 1, "Nothing was touched."),
        (("move", HOST.upper(), "--to", TARGET), 1, f"Did you mean '{HOST}'?"),
        (("move", HOST, "--to", TARGET, "--from", "L40-n3-spot"), 1, f"It is in {SOURCE}."),
        (("move", HOST), 2, "give target (an aggregate, or auto) or pool"),
        (("move", HOST, "--pool", "spto"), 2, "pool"),
        (("move", HOST, HOST, "--to", TARGET), 2, f"host '{HOST}' is named twice"),
    ],
)
def test_bad_input_is_a_sentence(
    run: Callable[..., Any], args: tuple[str, ...], code: int, says: str, tmp_path: Path
) -> None:
    result = run(*args, "--yes", code=code)
    assert says in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "journal.db").exists()
    is_clean(HOST, SOURCE)


def test_unlock(run: Callable[..., Any], fleet: Fleet) -> None:
    assert run("unlock", HOST).stdout == f"Nobody holds a lock on {HOST}.\n"
    someone_elses_lock(fleet, HOST)
    refused = run(*MOVE, "--yes", code=1)
    assert "it is being moved by alice on ctl-2 (plan 6b000000-aaaa" in refused.stderr
    asked = run("unlock", HOST, code=2)
    assert f"{HOST} is being moved by alice on ctl-2" in asked.stdout
    assert truth(HOST).locks
    assert run("unlock", HOST, "--yes").stdout.endswith(f"The lock on {HOST} is broken.\n")
    assert truth(HOST) == clean(SOURCE)


def output(words: list[str | Path]) -> str:
    """Run a command in a process of its own, which knows nothing but the journal."""
    done = subprocess.run(words, env=dict(os.environ), text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c(faults: Faults, fleet: Fleet, tmp_path: Path, times: int) -> None:
    """The first one waits for what is at work, the second leaves it half way; it can be resumed."""
    file = tmp_path / "held"
    faults.set(Rule("nova", "POST", "/action", "add_host", hold=str(file)))
    hostler = Path(sys.executable).with_name("hostler")
    words: list[str | Path] = [hostler, "gpu", *MOVE, "--yes", "--cloud", "box-proxied"]
    program = subprocess.Popen(words, env=dict(os.environ), text=True, stderr=subprocess.PIPE)
    assert program.stderr is not None
    while not file.exists():
        assert program.poll() is None, program.stderr.read()
        time.sleep(0.02)
    program.send_signal(signal.SIGINT)
    assert "Ctrl-C again leaves it half way: see 'hostler plan list'" in program.stderr.readline()
    if times == 2:
        program.send_signal(signal.SIGINT)
        assert program.wait(20) == 130
    file.unlink()
    assert program.wait(20) == 130
    if times == 2:
        (left,) = fleet.journal.list(unfinished=True)
        resume = ("plan", "resume", left.plan.id)
        shown = " ".join(output([hostler, "plan", "show", left.plan.id]).split())
        assert "Status interrupted" in shown
        assert f"'hostler {' '.join(resume)}' finishes it" in shown
        assert "done: release the lock of host" in output([hostler, *resume])
    is_clean(HOST, TARGET)
