# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""roles/metrics_collector: what it writes, which systemd checks, and what systemd makes of it."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from . import molecule
from .conftest import PLAYBOOK, ROOT, Results

HOSTLER = Path(sys.executable).parent / "hostler"
STORE = 'postgresql+psycopg://me:S3cret%20"x@db/hostler'
Run = Callable[..., Results]


@pytest.fixture
def units(tmp_path: Path) -> Path:
    folder = tmp_path / "units"
    folder.mkdir()
    return folder


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path, units: Path) -> Run:
    """Run the role for an image of this machine; returns each task's result by its name."""

    def play(*words: str, **wanted: Any) -> Results:
        role = {"role": "hostler.fleet.metrics_collector"}
        book = {"hosts": "image", "connection": "local", "gather_facts": False, "roles": [role]}
        (tmp_path / "play.yml").write_text(json.dumps([book]))
        usual = {
            "metrics_collector_unit_dir": str(units),
            "metrics_collector_environment_file": str(tmp_path / "etc" / "metrics.env"),
            "metrics_collector_hostler": str(HOSTLER),
            "metrics_collector_store": STORE,
            "metrics_collector_start": False,
        }
        results = Path(environment["HOSTLER_TEST_RESULTS"])
        results.unlink(missing_ok=True)
        command: list[str | Path] = [
            *(PLAYBOOK, tmp_path / "play.yml", "-i", "image,", "--diff"),
            *("-e", json.dumps({**usual, **wanted}), *words),
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert "S3cret" not in done.stdout + done.stderr
        assert results.exists(), done.stdout + done.stderr
        told = dict(json.loads(line) for line in results.read_text().splitlines())
        return {name.rpartition(" : ")[2]: result for name, result in told.items()}

    return play


def changed(told: Results) -> set[str]:
    assert not [result for result in told.values() if result.get("failed")], told
    return {name for name, result in told.items() if result.get("changed")}


WRITES = {"Make the folder of the environment file", "Write the environment file"}


@pytest.mark.parametrize("mode", ["service", "timer"])
def test_written_once_and_sound(run: Run, units: Path, tmp_path: Path, mode: str) -> None:
    wanted: dict[str, Any] = {"metrics_collector_mode": mode, "metrics_collector_exporter": True}
    assert changed(run("--check", **wanted)) == {*WRITES, "Write the units"}
    assert list(units.iterdir()) == []
    assert changed(run(**wanted)) == {*WRITES, "Write the units"}
    assert changed(run(**wanted)) == set()
    names = {"hostler-metrics.service", "hostler-metrics-exporter.service"}
    names |= {"hostler-metrics.timer"} if mode == "timer" else set()
    assert {unit.name for unit in units.iterdir()} == names
    assert (tmp_path / "etc" / "metrics.env").stat().st_mode & 0o777 == 0o600
    verify([units / name for name in names])


def verify(paths: list[Path]) -> None:
    """Have systemd read the units."""
    analyze = shutil.which("systemd-analyze")
    assert analyze, "there is no systemd-analyze; run: make setup"
    done = subprocess.run(
        [analyze, "verify", "--man=no", *paths], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_not_wanted_any_more_goes(run: Run, units: Path, tmp_path: Path) -> None:
    run(metrics_collector_mode="timer", metrics_collector_exporter=True)
    assert "Write the units" in changed(run(metrics_collector_mode="service"))
    assert [unit.name for unit in units.iterdir()] == ["hostler-metrics.service"]
    run("--check", metrics_collector_state="absent")
    assert [unit.name for unit in units.iterdir()] == ["hostler-metrics.service"]
    run(metrics_collector_state="absent")
    assert list(units.iterdir()) == []
    assert not (tmp_path / "etc" / "metrics.env").exists()
    assert changed(run(metrics_collector_state="absent")) == set()


def test_without_the_command_nothing_is_written(run: Run, units: Path) -> None:
    told = run(metrics_collector_hostler="/no/such/hostler")
    assert (
        "There is no /no/such/hostler. Run: pip install"
        in told["Refuse to go on without it"]["msg"]
    )
    assert list(units.iterdir()) == []


def test_the_store_is_what_systemd_reads(run: Run, tmp_path: Path) -> None:
    run()
    lines = (tmp_path / "etc" / "metrics.env").read_text().splitlines()
    shown = subprocess.run(
        ["sh", "-c", f'. {tmp_path}/etc/metrics.env; printf %s "$HOSTLER_STORE"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == STORE, lines


# A machine with systemd, where a stand-in for the command says what it was called with.

MACHINE = ROOT / "tests" / "rigs" / "machine" / "machine.sh"
NET = f"10.97.{crc32(str(ROOT).encode()) % 250}"
STAND_IN = """#!/bin/sh
echo "$HOSTLER_CONFIG $HOSTLER_STORE $*" >>/run/told
case "$*" in *--every*) exec sleep 1000 ;; esac
"""


def rig(*words: str) -> str:
    done = subprocess.run(
        [MACHINE, *words],
        env={**os.environ, "HOSTLER_RIG_NET": NET},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{MACHINE} {words}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


@pytest.fixture(scope="module")
def pid() -> Iterator[str]:
    """A fresh machine; its first process."""
    with (ROOT / ".cache" / "rigs" / "metrics-machine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        rig("up")
        yield rig("pid")
        rig("down")


@pytest.fixture
def machine(pid: str, environment: dict[str, str], tmp_path: Path) -> Run:
    """Run the role on the machine; returns each task's result by its name."""
    rig("exec", "sh", "-c", f"printf %s {shlex.quote(STAND_IN)} >/usr/local/bin/hostler")
    rig("exec", "chmod", "755", "/usr/local/bin/hostler")
    (tmp_path / "inventory").write_text(
        "machine ansible_connection=machine ansible_python_interpreter=/usr/bin/python3\n"
    )
    role = {"role": "hostler.fleet.metrics_collector"}
    book = {"hosts": "machine", "gather_facts": False, "roles": [role]}
    (tmp_path / "play.yml").write_text(json.dumps([book]))
    env = {**environment, "ANSIBLE_PIPELINING": "true", "HOSTLER_TEST_MACHINE": pid}

    def play(*words: str, **wanted: Any) -> Results:
        results = Path(environment["HOSTLER_TEST_RESULTS"])
        results.unlink(missing_ok=True)
        command: list[str | Path] = [
            *(PLAYBOOK, tmp_path / "play.yml", "-i", tmp_path / "inventory"),
            *("-e", json.dumps(wanted), *words),
        ]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert results.exists(), done.stdout + done.stderr
        told = dict(json.loads(line) for line in results.read_text().splitlines())
        return {name.rpartition(" : ")[2]: result for name, result in told.items()}

    return play


def state(unit: str) -> list[str]:
    """Whether a unit is active, and whether it is started with the machine."""
    return rig(
        "exec", "sh", "-c", f"systemctl is-active {unit}; systemctl is-enabled {unit}"
    ).split()


@pytest.mark.timeout(600)
def test_a_service_on_a_machine(machine: Run) -> None:
    """What another interval does; then nothing is left."""
    unit, store = "hostler-metrics.service", "sqlite:////var/lib/hostler/hostler.db"
    assert "Write the units" in changed(machine("--check"))
    assert rig("exec", "ls", "/etc/systemd/system").count("hostler") == 0

    machine()
    assert changed(machine()) == set()
    assert state(unit) == ["active", "enabled"]
    told = rig("exec", "cat", "/run/told")
    assert told == f"/etc/hostler/fleet.yml {store} --quiet metrics collect --every 15s"

    machine(metrics_collector_every="30s")
    assert rig("exec", "cat", "/run/told").endswith("--every 30s")

    machine(metrics_collector_state="absent")
    assert rig("exec", "ls", "/etc/systemd/system").count("hostler") == 0
    assert changed(machine(metrics_collector_state="absent")) == set()


@pytest.mark.timeout(600)
def test_scenario(pid: str, environment: dict[str, str]) -> None:
    """A timer and the exporter, by Molecule."""
    more = {
        "HOSTLER_TEST_ADDRESS": f"{NET}.2",
        "HOSTLER_TEST_CONNECTION": "machine",
        "HOSTLER_TEST_MACHINE": pid,
    }
    molecule.scenarios({**environment, **more}, "metrics_collector")
