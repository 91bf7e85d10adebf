# SPDX-License-Identifier: Apache-2.0
"""hostler vm migrate, as people run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .moves import RUNNING, A, B, Pair, make, places, volumes, wait_for
from .terminal import on_terminal

COMMAND = (sys.executable, "-c", "from hostler.cli import main; main()")


class Cli:
    """Runs the command on A, with a journal of the test's own."""

    def __init__(self, root: Path) -> None:
        self.env = {
            **os.environ,
            "HOSTLER_STORE": f"sqlite:///{root}/hostler.db",
            "LIBVIRT_DEFAULT_URI": A,
            "COLUMNS": "120",
            "TERM": "xterm",
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, "vm", "migrate", *words],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, code: int = 0) -> str:
        process = self.start(*words)
        out, err = process.communicate()
        assert process.returncode == code, out + err
        assert "Traceback" not in err
        return out + err

    def json(self, *words: str) -> Any:
        (result,) = json.loads(self.run(*words, "--json"))
        return result


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


def test_a_move_is_shown_and_made(pair: Pair, cli: Cli) -> None:
    make(pair[0], disk=32)
    to = ("m1", "--to-uri", B, "--storage", "copy")
    shown = cli.run(*to, "--check")
    assert f"migrate m1 from {A} to {B} (live)" in shown
    assert f"virsh -c {B} vol-create-as default m1.qcow2" in shown
    assert "Warning: the copied volumes stay on the source: " in shown
    assert places() == {A: RUNNING}
    words = [*COMMAND, "vm", "migrate", *to, "--bandwidth", "16"]
    code, shown = on_terminal(words, env=cli.env)
    assert code == 0, shown
    assert "\u2501" in shown  # the bar
    assert " MiB left, " in shown
    assert " MiB/s" in shown
    assert f"m1: migrated, runs on {B}, stood still for " in shown
    assert places() == {B: RUNNING}
    again = cli.json(*to)
    assert (again["status"], again["changed"], again["runs_on"]) == ("unchanged", False, B)


def test_what_can_t_be_is_a_sentence(pair: Pair, cli: Cli) -> None:
    make(pair[0], disk=1)
    assert "give one of target_host and target_uri" in cli.run("m1", code=2)
    assert "mount it there, or say storage: copy" in cli.run("m1", "--to-uri", B, code=2)
    assert "job" in cli.run("m1", "--abort", code=1)
    assert places() == {A: RUNNING}


@pytest.mark.fault
def test_given_up_from_another_terminal(pair: Pair, cli: Cli) -> None:
    make(pair[0], disk=96)
    process = cli.start("m1", "--to-uri", B, "--storage", "copy", "--bandwidth", "4")
    wait_for(lambda: B in places())
    assert "it is being moved right now" in cli.run("m1", "--to-uri", B, code=1)
    assert "m1: its move is given up; it stays where it is." in cli.run("m1", "--abort")
    _, err = process.communicate()
    assert process.returncode == 1
    assert f"It is still on {A}" in err
    assert f"m1 runs on {A}." in err
    assert (places(), volumes()) == ({A: RUNNING}, [])
