# SPDX-License-Identifier: Apache-2.0
"""Every step of a plan fails in every way: what is left, and what is said about it."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import SecretStr

from hostler.errors import HostlerError, InternalError, PlanError, PlanFailed
from hostler.plan import Plan, Step
from hostler.plan.journal import Journal
from hostler.plan.runner import Outcome, Progress, Runner
from hostler.store import Store

from .toys import BrokenDisk, Copy, Fault, Folder, Kept, Look, Mended, OneWay, Toy, plan_of

NAMES = ("a", "b", "c")
FAULTS: tuple[Fault, ...] = ("refused", "lost before", "defect before", "defect after")


@pytest.fixture
def world(tmp_path: Path) -> Folder:
    folder = tmp_path / "world"
    folder.mkdir()
    return Folder(folder)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(Store(f"sqlite:///{tmp_path}/journal.db"))


@pytest.fixture
def runner(world: Folder, journal: Journal) -> Runner:
    return Runner(world, lambda: journal)


def toys(**faults: dict[str, Any]) -> list[Step]:
    return [Toy(name=name, **faults.get(name, {})) for name in NAMES]


def failing(runner: Runner, plan: Plan) -> PlanFailed:
    with pytest.raises(PlanFailed) as caught:
        runner.run(plan)
    return caught.value


def test_all_steps_in_order(runner: Runner, world: Folder, journal: Journal) -> None:
    plan = plan_of(*toys())
    seen: list[Progress] = []
    outcome = runner.run(plan, seen.append)
    assert world.names() == [*NAMES]
    assert outcome.status == "done"
    assert outcome.done == ["make a", "make b", "make c"]
    assert [(p.number, p.fraction) for p in seen[:3]] == [(1, 0.0), (1, 0.5), (1, 1.0)]
    assert {p.total for p in seen} == {3}
    stored = journal.load(plan.id)
    assert stored.status == "done"
    assert stored.statuses == ["done"] * 3
    assert not stored.alive


def test_an_empty_plan_touches_not_even_the_journal(runner: Runner, tmp_path: Path) -> None:
    assert runner.run(plan_of()).status == "done"
    assert not (tmp_path / "journal.db").exists()


@pytest.mark.parametrize(("name", "fault"), [*itertools.product(NAMES, FAULTS)])
def test_each_step_fails_and_all_is_undone(
    runner: Runner, world: Folder, journal: Journal, name: str, fault: Fault
) -> None:
    plan = plan_of(*toys(**{name: {"fault": fault}}))
    error = failing(runner, plan)
    assert world.names() == []
    assert error.outcome.status == "undone"
    assert error.outcome.failed == f"make {name}"
    assert not error.outcome.unsure
    assert f"could not make {name}: " in str(error)
    stored = journal.load(plan.id)
    assert stored.status == "undone"
    assert f"make {name}" in stored.error
    number = NAMES.index(name)
    assert stored.statuses[:number] == ["undone"] * number
    assert stored.statuses[number] in ("failed", "undone")
    assert stored.errors[number] != ""
    assert stored.statuses[number + 1 :] == ["pending"] * (2 - number)


@pytest.mark.parametrize("name", NAMES)
def test_a_lost_answer_is_looked_up_not_repeated(runner: Runner, world: Folder, name: str) -> None:
    """A second try would find the file and fail."""
    assert runner.run(plan_of(*toys(**{name: {"fault": "lost after"}}))).status == "done"
    assert world.names() == [*NAMES]


@pytest.mark.parametrize("fault", ["lost before", "lost after", "defect after"])
def test_when_the_world_cannot_be_asked_nothing_is_guessed(
    runner: Runner, world: Folder, journal: Journal, fault: Fault
) -> None:
    plan = plan_of(*toys(b={"fault": fault, "ask_fault": "lost before"}))
    error = failing(runner, plan)
    assert error.outcome.status == "failed"
    assert error.outcome.unsure
    assert error.outcome.left == ["make a"]
    assert "Whether it took effect could not be found out" in str(error)
    assert "a" in world.names()
    assert journal.load(plan.id).status == "failed"
    assert journal.load(plan.id).statuses == ["done", "unsure", "pending"]


@pytest.mark.parametrize("fault", ["refused", "lost before", "defect before"])
def test_a_failing_undo_reports_both_errors(
    runner: Runner, world: Folder, journal: Journal, fault: Fault
) -> None:
    plan = plan_of(*toys(b={"undo_fault": fault}, c={"fault": "refused"}))
    error = failing(runner, plan)
    assert world.names() == ["a", "b"]
    assert error.outcome.left == ["make a", "make b"]
    assert "no such thing" in str(error)
    assert "Undoing stopped: " in str(error)
    assert "Still in effect: make a, make b" in str(error)
    assert f"hostler plan show {plan.id}" in str(error)
    stored = journal.load(plan.id)
    assert stored.status == "failed"
    assert "Undoing stopped" in stored.error


def test_an_undo_whose_answer_was_lost_is_looked_up(runner: Runner, world: Folder) -> None:
    error = failing(runner, plan_of(*toys(b={"undo_fault": "lost after"}, c={"fault": "refused"})))
    assert error.outcome.status == "undone"
    assert world.names() == []


def test_an_irreversible_step_stays(runner: Runner, world: Folder) -> None:
    error = failing(
        runner, plan_of(Toy(name="a"), OneWay(name="b"), Toy(name="c", fault="refused"))
    )
    assert world.names() == ["a", "b"]
    assert "paper burns" in str(error)


def test_the_hint_is_said_once(runner: Runner) -> None:
    error = failing(runner, plan_of(Toy(name="a", fault="refused")))
    assert str(error).count("Make one.") == 1


def test_a_defect_is_named(runner: Runner) -> None:
    error = failing(runner, plan_of(Toy(name="a", fault="defect before")))
    assert isinstance(error.cause, InternalError)
    assert "KeyError: 'oops'" in str(error)


def test_a_broken_display_undoes_nothing(runner: Runner, world: Folder) -> None:
    def broken(_: Progress) -> None:
        raise BrokenPipeError

    assert runner.run(plan_of(*toys()), broken).status == "done"
    assert world.names() == [*NAMES]


def test_a_plan_is_applied_once(runner: Runner, world: Folder) -> None:
    plan = plan_of(Toy(name="a"))
    runner.run(plan)
    with pytest.raises(PlanError, match="applied before"):
        runner.run(plan)
    assert world.names() == ["a"]


def test_undo_and_undo_again(runner: Runner, world: Folder) -> None:
    plan = plan_of(*toys())
    runner.run(plan)
    assert runner.undo(plan.id).undone == ["make c", "make b", "make a"]
    assert world.names() == []
    with pytest.raises(PlanError, match="nothing to undo"):
        runner.undo(plan.id)


def test_undo_refuses_before_it_touches_anything(
    runner: Runner, world: Folder, journal: Journal
) -> None:
    plan = plan_of(OneWay(name="a"), Toy(name="b"))
    runner.run(plan)
    with pytest.raises(PlanError, match="paper burns"):
        runner.undo(plan.id)
    assert world.names() == ["a", "b"]
    assert journal.load(plan.id).status == "done"


def test_a_failed_undo_can_be_undone_later(runner: Runner, world: Folder) -> None:
    plan = plan_of(*toys())
    runner.run(plan)
    (world.path / "b.locked").touch()
    with pytest.raises(PlanFailed, match="Undoing stopped: b: it is locked"):
        runner.undo(plan.id)
    (world.path / "b.locked").unlink()
    assert runner.undo(plan.id).undone == ["make b", "make a"]
    assert world.names() == []


def test_resume_after_a_failed_undo(runner: Runner, world: Folder, journal: Journal) -> None:
    plan = plan_of(Toy(name="a"), OneWay(name="b"), Toy(name="c"))
    (world.path / "c").touch()  # so that step c fails
    failing(runner, plan)
    (world.path / "c").unlink()
    outcome = runner.resume(plan.id)
    assert outcome.done == ["make c"]
    assert world.names() == [*NAMES]
    assert journal.load(plan.id).statuses == ["done"] * 3
    with pytest.raises(PlanError, match="nothing to resume"):
        runner.resume(plan.id)


def test_secrets_are_not_stored_so_resume_says_what_to_do(
    runner: Runner, world: Folder, tmp_path: Path
) -> None:
    plan = plan_of(OneWay(name="a"), Toy(name="b", password=SecretStr("hunter2-geheim")))
    (world.path / "b").touch()
    failing(runner, plan)
    with pytest.raises(PlanError, match="needs password, and secrets are never stored"):
        runner.resume(plan.id)
    files = [p for p in tmp_path.iterdir() if p.name.startswith("journal.db")]
    assert files
    assert all(b"hunter2" not in p.read_bytes() for p in files)


def test_run_many_gives_a_result_for_each(runner: Runner, world: Folder) -> None:
    plans = [
        plan_of(Toy(name=f"{n}", fault="refused" if n % 2 else ""), target=f"toy/{n}")
        for n in range(10)
    ]
    results = runner.run_many(plans, parallel=4)
    assert [isinstance(r, HostlerError) for r in results] == [bool(n % 2) for n in range(10)]
    assert world.names() == ["0", "2", "4", "6", "8"]


@pytest.mark.parametrize(("allowed", "started"), [(0, 1), (2, 3), (None, 6)])
def test_max_failures(runner: Runner, allowed: int | None, started: int) -> None:
    plans = [plan_of(Toy(name=f"{n}", fault="refused")) for n in range(6)]
    results = runner.run_many(plans, parallel=1, max_failures=allowed)
    assert sum(isinstance(r, PlanFailed) for r in results) == started
    assert results.count(None) == 6 - started


@pytest.mark.parametrize("broken_from", range(1, 5))
def test_a_broken_journal_stops_work_and_never_lies(
    runner: Runner, world: Folder, journal: Journal, broken_from: int, monkeypatch: Any
) -> None:
    """The nth write fails, and all after it; afterwards the plan is resumed to its end."""
    plan = plan_of(*toys())
    write, count = journal._store.write, itertools.count(1)

    def breaks() -> Any:
        if next(count) >= broken_from:
            raise BrokenDisk("the database failed: disk full")
        return write()

    monkeypatch.setattr(journal._store, "write", breaks)
    if broken_from == 1:
        with pytest.raises(BrokenDisk):
            runner.run(plan)
        assert world.names() == []
        return
    error = failing(runner, plan)
    assert world.names() == [*NAMES[: broken_from - 1]]
    assert error.outcome.left == [f"make {n}" for n in world.names()]
    assert "disk full" in str(error)
    monkeypatch.undo()
    stored = journal.load(plan.id)
    assert stored.alive  # the journal could not be told that we let go
    monkeypatch.setattr("hostler.plan.who.started", lambda _: "another process")
    assert runner.resume(plan.id).status == "done"
    assert world.names() == [*NAMES]


def test_ctrl_c_leaves_a_plan_that_can_be_resumed(
    runner: Runner, world: Folder, journal: Journal, monkeypatch: Any
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    plan = plan_of(*toys())
    with monkeypatch.context() as patched:
        patched.setattr(f"{__package__}.toys.after", interrupted)
        with pytest.raises(KeyboardInterrupt):
            runner.run(plan)
    assert journal.load(plan.id).status == "failed"
    assert journal.load(plan.id).statuses == ["started", "pending", "pending"]
    assert runner.resume(plan.id).done == ["make b", "make c"]
    assert world.names() == [*NAMES]


def test_outcome_of_nothing_done() -> None:
    assert Outcome("1", "toy/1", status="undone", failed="make a").sentence(
        HostlerError("no", on="toy")
    ) == ("could not make a: toy: no")


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_no_harm_is_kept_and_said(runner: Runner, world: Folder, fault: Fault) -> None:
    error = failing(runner, plan_of(Toy(name="a"), Kept(name="b"), Toy(name="c", fault=fault)))
    assert world.names() == ["b"]
    assert error.outcome.status == "undone"
    assert error.outcome.kept == ["make b (it is of use anyway)"]
    assert "Kept: make b (it is of use anyway)" in str(error)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_look_that_fails_stops_the_plan(runner: Runner, world: Folder, fault: Fault) -> None:
    error = failing(runner, plan_of(Toy(name="a"), Look(name="b", fault=fault), Toy(name="c")))
    assert world.names() == []
    assert error.outcome.status == "undone"
    assert error.outcome.undone == ["make a"]


def test_a_look_is_not_undone(runner: Runner, world: Folder) -> None:
    plan = plan_of(Toy(name="a"), Look(name="b"), Toy(name="c"))
    runner.run(plan)
    assert runner.undo(plan.id).undone == ["make c", "make a"]
    assert world.names() == []


def test_a_step_that_may_be_half_done_is_taken_back(runner: Runner, world: Folder) -> None:
    """Its answer is lost: what is there may be half of it."""
    plan = plan_of(Toy(name="a"), Copy(name="b", fault="lost after"), Toy(name="c"))
    error = failing(runner, plan)
    assert (world.names(), error.outcome.status) == ([], "undone")
    assert error.outcome.undone == ["make b", "make a"]


@pytest.mark.parametrize("verb", ["resume", "undo"])
@pytest.mark.parametrize("status", ["started", "failed"])
def test_what_a_dead_program_has_left_is_mended_first(
    runner: Runner, world: Folder, journal: Journal, verb: str, status: Literal["started", "failed"]
) -> None:
    plan = plan_of(Mended(name="a"), Toy(name="b"))
    journal.begin(plan)  # and then the process was lost
    journal.step(plan.id, 0, status)
    journal.finish(plan.id, "failed")
    (world.path / "a.half").touch()
    getattr(runner, verb)(plan.id)
    made = ["a", "b"] if verb == "resume" else []
    assert world.names() == (made if status == "started" else sorted([*made, "a.half"]))


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("verb", ["resume", "undo"])
def test_a_step_that_may_be_half_done_starts_over(
    runner: Runner, world: Folder, journal: Journal, verb: str, there: bool
) -> None:
    plan = plan_of(Toy(name="a"), Copy(name="b"), Toy(name="c"))
    journal.begin(plan)  # and then the process was lost
    (world.path / "a").touch()
    journal.advance(plan.id, 0, 3, 0.1)
    journal.finish(plan.id, "failed")
    if there:
        (world.path / "b").write_text("half")
    if verb == "resume":
        assert runner.resume(plan.id).done == ["make b", "make c"]
        assert (world.path / "b").read_text() == ""
        runner.undo(plan.id)
    else:
        assert runner.undo(plan.id).undone == ["make b", "make a"][0 if there else 1 :]
    assert world.names() == []
