# SPDX-License-Identifier: Apache-2.0
"""The journal: survives kill -9, keeps two processes apart, is the command log, holds no secret."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from hostler.errors import Conflict, HostlerError, NotFound, PlanError, PlanFailed
from hostler.plan.journal import Journal
from hostler.plan.runner import Runner
from hostler.store import Store
from hostler.store.tables import plans, steps

from .toys import Folder, Toy, plan_of

pytestmark = pytest.mark.slow

APPLIES = Path(__file__).with_name("applies.py")
ALL = ["a", "b", "c"]


class Rig:
    """A journal and a folder that several processes share."""

    def __init__(self, root: Path) -> None:
        self.file, self.folder = root / "journal.db", root / "world"
        self.folder.mkdir()
        self.journal = Journal(Store(f"sqlite:///{self.file}"))
        self.world = Folder(self.folder)
        self.runner = Runner(self.world, lambda: self.journal)

    def start(self, *argv: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(APPLIES), str(self.file), str(self.folder), *argv]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def run(self, *argv: str) -> int:
        with self.start(*argv) as process:
            return process.wait(30)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("verb", ["resume", "undo"])
def test_killed_right_after_a_step(rig: Rig, name: str, verb: str) -> None:
    """Kill -9 after the world changed and before the journal knows."""
    plan = [f"{n}:kill" if n == name else n for n in ALL]
    assert rig.run("run", "p1", *plan) == -9
    assert rig.world.names() == ALL[: ALL.index(name) + 1]
    stored = rig.journal.load("p1")
    assert stored.status == "running"
    assert not stored.alive
    assert stored.statuses[ALL.index(name)] == "started"
    if verb == "undo":
        rig.runner.undo("p1")
        assert rig.world.names() == []
        assert rig.journal.load("p1").status == "undone"
    else:
        # the rest of the plan kills its process once more, here it would be this one
        with rig.journal._store.write() as db:
            rest = {"kind": "toy.file", "name": name}
            db.execute(update(steps).where(steps.c.number == ALL.index(name)).values(data=rest))
        rig.runner.resume("p1")
        assert rig.world.names() == ALL
        assert rig.journal.load("p1").statuses == ["done"] * 3


@pytest.mark.parametrize("wait", [0.5, 0.9])
def test_killed_inside_a_step(rig: Rig, wait: float) -> None:
    process = rig.start("run", "p1", "a", "b:sleep:60")
    deadline = time.monotonic() + 20
    while rig.world.names() != ["a"] and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(wait - 0.4)
    process.kill()
    process.communicate()
    assert rig.journal.load("p1").statuses[1] in ("pending", "started")
    rig.runner.undo("p1")
    assert rig.world.names() == []


@pytest.mark.parametrize("verb", ["resume", "undo"])
def test_killed_inside_an_undo(rig: Rig, verb: str) -> None:
    """The step that was being undone is asked about, not believed to be done."""
    (rig.folder / "c").touch()
    assert rig.run("run", "p1", "a", "b:undo:kill", "c") == -9
    assert rig.world.names() == ["a", "c"]
    assert rig.journal.load("p1").statuses == ["done", "undoing", "failed"]
    (rig.folder / "c").unlink()
    assert getattr(rig.runner, verb)("p1")
    assert rig.world.names() == ([] if verb == "undo" else ALL)


def test_a_running_plan_is_left_alone(rig: Rig) -> None:
    process = rig.start("run", "p1", "a:sleep:30", "b")
    deadline = time.monotonic() + 20
    while not rig.journal.list() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert rig.journal.load("p1").alive
    for verb in (rig.runner.resume, rig.runner.undo):
        with pytest.raises(PlanError, match=f"process {process.pid} of .* is applying it"):
            verb("p1")
    process.kill()
    process.communicate()
    assert rig.runner.undo("p1").status == "undone"


def test_two_processes_that_resume_at_once(rig: Rig) -> None:
    assert rig.run("run", "p1", "a:kill", "b:sleep:1", "c") == -9
    both = [rig.start("resume", "p1") for _ in range(2)]
    codes = sorted(process.wait(30) for process in both)
    for process in both:
        process.communicate()
    assert codes == [0, 1]
    assert rig.world.names() == ALL


def test_two_threads_that_undo_at_once(rig: Rig) -> None:
    plan = plan_of(*(Toy(name=n) for n in ALL))
    rig.runner.run(plan)
    errors: list[HostlerError] = []

    def undo() -> None:
        try:
            rig.runner.undo(plan.id)
        except HostlerError as error:
            errors.append(error)

    threads = [threading.Thread(target=undo) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(e) for e in errors] == [PlanError] * 3
    assert rig.world.names() == []


def test_a_plan_of_another_machine_is_taken_over_when_told_so(rig: Rig) -> None:
    assert rig.run("run", "p1", "a:kill", "b") == -9
    with rig.journal._store.write() as db:
        db.execute(update(plans).values(host="elsewhere"))
    with pytest.raises(PlanError, match=r"on elsewhere is applying it.*--take-over"):
        rig.runner.undo("p1")
    assert rig.runner.undo("p1", take_over=True).undone == ["make a"]


def test_a_reused_pid_is_not_the_process(rig: Rig) -> None:
    assert rig.run("run", "p1", "a:kill") == -9
    with rig.journal._store.write() as db:
        db.execute(update(plans).values(pid=1))
    assert not rig.journal.load("p1").alive


def test_ids_by_their_start(rig: Rig) -> None:
    for plan_id in ("1234-a", "1234-b"):
        assert rig.run("run", plan_id, plan_id) == 0
    assert rig.journal.load("1234-b").plan.id == "1234-b"
    with pytest.raises(Conflict, match="several plans start with"):
        rig.journal.load("1234")
    with pytest.raises(NotFound, match=r"no plan '12%'"):
        rig.journal.load("12%")


def test_list_and_unfinished(rig: Rig) -> None:
    assert rig.run("run", "p1", "a") == 0
    assert rig.run("run", "p2", "b:kill") == -9
    assert [p.plan.id for p in rig.journal.list()] == ["p2", "p1"]
    assert [p.plan.id for p in rig.journal.list(limit=1)] == ["p2"]
    assert [p.plan.id for p in rig.journal.list(unfinished=True)] == ["p2"]


def test_a_step_of_another_version_is_shown_but_not_applied(rig: Rig) -> None:
    assert rig.run("run", "p1", "a:kill", "b") == -9
    with rig.journal._store.write() as db:
        later = {"kind": "toy.later", "name": "b"}
        db.execute(update(steps).where(steps.c.number == 1).values(data=later))
    (stored,) = rig.journal.list()
    assert [step.command for step in stored.plan.steps] == ["touch a", "touch b"]
    with pytest.raises(PlanError, match=r"doesn't know the step 'toy.later'. Use the version"):
        rig.runner.resume("p1")
    with rig.journal._store.write() as db:
        changed = {"kind": "toy.file", "nom": "b"}
        db.execute(update(steps).where(steps.c.number == 1).values(data=changed))
    with pytest.raises(PlanError, match=r"writes the step 'toy.file' in another way"):
        rig.runner.resume("p1")
    assert rig.world.names() == ["a"]


def test_the_command_log(rig: Rig) -> None:
    start = datetime.now(UTC)
    first = plan_of(Toy(name="a"), Toy(name="b"), target="toy/1")
    rig.runner.run(first)
    with pytest.raises(PlanFailed):
        rig.runner.run(plan_of(Toy(name="c", fault="refused"), Toy(name="d"), target="toy/2"))
    log = rig.journal.log()
    assert [e.command for e in log] == ["touch c", "touch b", "touch a"]
    assert [e.status for e in log] == ["failed", "done", "done"]
    assert "no such thing" in log[0].error
    assert all(e.execution_time is not None and e.execution_time >= 0 for e in log)
    assert all(start <= e.timestamp <= datetime.now(UTC) for e in log)
    assert [e.command for e in rig.journal.log(limit=1)] == ["touch c"]
    assert [e.command for e in rig.journal.log(status="failed")] == ["touch c"]
    assert [e.command for e in rig.journal.log(target="toy/1")] == ["touch b", "touch a"]
    assert [e.command for e in rig.journal.log(plan_id=first.id)] == ["touch b", "touch a"]
    assert rig.journal.log(since=datetime.now(UTC) + timedelta(seconds=1)) == []


def test_clear_keeps_what_is_half_way(rig: Rig) -> None:
    assert rig.run("run", "p1", "a", "b") == 0
    assert rig.run("run", "p2", "c:kill") == -9
    assert rig.journal.finished() == 2
    assert rig.journal.clear() == 2
    assert rig.journal.finished() == 0
    assert [p.plan.id for p in rig.journal.list()] == ["p2"]
    assert [e.command for e in rig.journal.log()] == ["touch c"]


def test_no_secret_reaches_the_disk(rig: Rig, tmp_path: Path) -> None:
    rig.runner.run(plan_of(Toy(name="a", password=SecretStr("hunter2-geheim"))))
    content = b"".join(p.read_bytes() for p in tmp_path.glob("journal.db*"))
    assert b"--password=***" in content
    assert b"hunter2" not in content


def test_a_user_without_a_name(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs under a number."""
    for name in ("SUDO_USER", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    rig.runner.run(plan_of(Toy(name="a")))
    assert rig.journal.list()[0].user == "4000000"
