# SPDX-License-Identifier: Apache-2.0
"""The journal: every plan and step, written before and after. It is the command log too."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from pydantic import ValidationError
from sqlalchemy import Row, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from hostler.errors import Conflict, NotFound, PlanError
from hostler.plan.plan import Plan
from hostler.plan.step import Step, StoredStep
from hostler.plan.who import Who, me
from hostler.store import Store
from hostler.store.tables import plans, steps

StepStatus = Literal["pending", "started", "done", "failed", "unsure", "undoing", "undone"]
PlanStatus = Literal["running", "done", "failed", "undone"]


@dataclass(frozen=True)
class StoredPlan:
    """A plan as the journal has it; ``statuses``, ``errors`` and ``seconds`` go by step.

    ``elsewhere``: it was applied on a machine or in a container whose processes can't be seen.
    """

    plan: Plan
    status: PlanStatus
    error: str
    statuses: list[StepStatus]
    errors: list[str]
    seconds: list[float | None]
    created_at: datetime
    user: str
    host: str
    pid: int
    alive: bool
    elsewhere: bool
    updated: float


@dataclass(frozen=True)
class LogEntry:
    """One command of the command log; times are UTC, ``execution_time`` is in seconds."""

    timestamp: datetime
    command: str
    summary: str
    status: StepStatus
    execution_time: float | None
    user: str
    plan_id: str
    target: str
    error: str


def _known() -> None:
    """Know the kinds of steps that are imported anyway."""


class Journal:
    """Plans and their steps in the store.

    Args:
        store: the database.
        kinds: imports every kind of step that the journal may hold; called before plans are read,
            so that a plan is applied without loading what other kinds need.
    """

    def __init__(self, store: Store, kinds: Callable[[], None] = _known) -> None:
        self._store = store
        self._kinds = kinds

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def check(self) -> None:
        """Write to the database without changing anything.

        Raises:
            BackendError: it can't be written.
        """
        with self._store.write() as db:
            db.execute(text("UPDATE alembic_version SET version_num = version_num"))

    def begin(self, plan: Plan) -> None:
        """Write a plan down, its first step as started: called right before that step.

        Raises:
            PlanError: it is in the journal already.
        """
        now = time.time()
        rows = [_step_row(plan.id, i, step) for i, step in enumerate(plan.steps)]
        rows[0] |= {"status": "started", "started": now}
        with self._store.write() as db:
            try:
                db.execute(insert(plans), _plan_row(plan, now))
            except IntegrityError:
                raise PlanError(
                    "it was applied before", on=f"plan {plan.id}", hint="Plan again."
                ) from None
            db.execute(insert(steps), rows)

    def restart(self, plan_id: str, number: int, total: int) -> None:
        """Write that a claimed plan goes on with a step: those before it are done."""
        now = time.time()
        before = (steps.c.plan_id == plan_id) & (steps.c.number < number)
        with self._store.write() as db:
            db.execute(update(steps).where(before).values(status="done", error=""))
            if number < total:
                db.execute(_of(plan_id, number).values(status="started", started=now))
            else:
                done = update(plans).where(plans.c.id == plan_id)
                db.execute(done.values(status="done", updated=now, error=""))

    def advance(self, plan_id: str, number: int, total: int, seconds: float) -> None:
        """Write that a step is done and what follows: the next step started, or the plan done."""
        now = time.time()
        with self._store.write() as db:
            db.execute(_of(plan_id, number).values(status="done", seconds=seconds, error=""))
            if number + 1 < total:
                db.execute(_of(plan_id, number + 1).values(status="started", started=now))
            else:
                done = update(plans).where(plans.c.id == plan_id)
                db.execute(done.values(status="done", updated=now, error=""))

    def step(
        self,
        plan_id: str,
        number: int,
        status: StepStatus,
        *,
        error: str | None = None,
        seconds: float | None = None,
    ) -> None:
        """Write what became of one step; what is None stays as it is."""
        values: dict[str, Any] = {"status": status}
        if error is not None:
            values["error"] = error
        if seconds is not None:
            values["seconds"] = seconds
        with self._store.write() as db:
            db.execute(_of(plan_id, number).values(**values))

    def finish(self, plan_id: str, status: PlanStatus, *, error: str = "") -> None:
        """Write what became of a plan."""
        finished = update(plans).where(plans.c.id == plan_id)
        with self._store.write() as db:
            db.execute(finished.values(status=status, updated=time.time(), error=error))

    def load(self, plan_id: str) -> StoredPlan:
        """Read a plan by its id or the start of it.

        Raises:
            NotFound: no plan has that id.
            Conflict: several ids start so.
        """
        self._kinds()
        with self._store.read() as db:
            found = select(plans).where(plans.c.id.startswith(plan_id, autoescape=True)).limit(2)
            rows = db.execute(found).all()
            if not rows:
                raise NotFound(
                    f"there is no plan {plan_id!r} in the journal", hint="See 'hostler plan list'."
                )
            if len(rows) > 1 and rows[0].id != plan_id:
                raise Conflict(f"several plans start with {plan_id!r}", hint="Give more of the id.")
            of_plan = select(steps).where(steps.c.plan_id == rows[0].id).order_by(steps.c.number)
            return _stored(rows[0], list(db.execute(of_plan).all()))

    def claim(
        self, plan_id: str, statuses: set[PlanStatus], verb: str, *, take_over: bool = False
    ) -> StoredPlan:
        """Take a plan over to resume or undo it; two can't do that at once.

        Whether a plan still runs on another machine can't be seen from here: ``take_over`` says
        that it doesn't.

        Raises:
            PlanError: it is being applied right now, has nothing to resume or undo, or a newer
                version wrote it.
        """
        stored = self.load(plan_id)
        if stored.alive and not (take_over and stored.elsewhere):
            raise _runs(stored)
        if stored.status not in statuses:
            raise PlanError(
                f"it is {stored.status}: there is nothing to {verb}", on=f"plan {stored.plan.id}"
            )
        for step in stored.plan.steps:
            if isinstance(step, StoredStep):
                raise PlanError(step.problem, on=f"plan {stored.plan.id}", hint=step.hint)
        mine = me()._asdict() | {
            "status": "running",
            "updated": max(time.time(), stored.updated + 1e-3),
        }
        unchanged = (plans.c.status == stored.status) & (plans.c.updated == stored.updated)
        with self._store.write() as db:
            taken = db.execute(
                update(plans).where((plans.c.id == stored.plan.id) & unchanged).values(**mine)
            )
        if taken.rowcount != 1:
            raise PlanError("somebody else has just taken it over", on=f"plan {stored.plan.id}")
        return stored

    def log(
        self,
        *,
        limit: int = 100,
        since: datetime | None = None,
        status: StepStatus | None = None,
        target: str | None = None,
        plan_id: str | None = None,
    ) -> list[LogEntry]:
        """Read the command log, newest first: steps that were started."""
        query = select(steps, plans.c.user, plans.c.target).join_from(steps, plans)
        query = query.where(steps.c.started.is_not(None))
        if since is not None:
            query = query.where(steps.c.started >= since.timestamp())
        if status is not None:
            query = query.where(steps.c.status == status)
        if target is not None:
            query = query.where(plans.c.target == target)
        if plan_id is not None:
            query = query.where(plans.c.id == plan_id)
        query = query.order_by(steps.c.started.desc(), steps.c.number.desc()).limit(limit)
        with self._store.read() as db:
            return [_entry(row) for row in db.execute(query)]

    def list(
        self, *, limit: int = 50, unfinished: bool = False, target: str | None = None
    ) -> list[StoredPlan]:
        """Read the latest plans, newest first.

        Args:
            limit: how many at most.
            unfinished: only those left half way.
            target: only those that change this.
        """
        query = select(plans).order_by(plans.c.created.desc(), plans.c.id.desc()).limit(limit)
        if unfinished:
            query = query.where(plans.c.status.in_(["running", "failed"]))
        if target is not None:
            query = query.where(plans.c.target == target)
        with self._store.read() as db:
            rows = db.execute(query).all()
            if rows:
                self._kinds()
            ids = [row.id for row in rows]
            of = select(steps).where(steps.c.plan_id.in_(ids)).order_by(steps.c.number)
            by_plan: dict[str, list[Row[Any]]] = {plan_id: [] for plan_id in ids}
            for step in db.execute(of):
                by_plan[step.plan_id].append(step)
        return [_stored(row, by_plan[row.id]) for row in rows]

    def forget(self, plan_id: str) -> StoredPlan:
        """Drop one plan from the journal, whatever became of it; what it did stays done.

        Raises:
            NotFound: no plan has that id.
            PlanError: it is being applied right now.
        """
        stored = self.load(plan_id)
        if stored.alive:
            raise PlanError("it is being applied right now", on=f"plan {stored.plan.id}")
        with self._store.write() as db:
            db.execute(delete(steps).where(steps.c.plan_id == stored.plan.id))
            db.execute(delete(plans).where(plans.c.id == stored.plan.id))
        return stored

    def finished(self) -> int:
        """Count the commands of finished plans: those that ``clear`` forgets."""
        query = select(func.count()).select_from(steps).where(steps.c.plan_id.in_(_FINISHED))
        with self._store.read() as db:
            return int(db.execute(query).scalar_one())

    def clear(self) -> int:
        """Forget finished plans; those left half way stay. Returns how many commands went."""
        with self._store.write() as db:
            gone = db.execute(delete(steps).where(steps.c.plan_id.in_(_FINISHED)))
            db.execute(delete(plans).where(plans.c.id.in_(_FINISHED)))
        return int(gone.rowcount)


_FINISHED = select(plans.c.id).where(plans.c.status.in_(["done", "undone"]))


def _of(plan_id: str, number: int) -> Any:
    return update(steps).where((steps.c.plan_id == plan_id) & (steps.c.number == number))


def _runs(stored: StoredPlan) -> PlanError:
    hint = "Wait for it, or end that process first."
    if stored.elsewhere:
        hint = "Wait for it; if that machine or process is gone, repeat with --take-over."
    return PlanError(
        f"process {stored.pid} of {stored.user} on {stored.host} is applying it",
        on=f"plan {stored.plan.id}",
        hint=hint,
    )


def _plan_row(plan: Plan, now: float) -> dict[str, Any]:
    data = plan.model_dump(mode="json", include={"before", "after", "warnings", "facts"})
    return {
        "id": plan.id,
        "created": now,
        "updated": now,
        "status": "running",
        "target": plan.target,
        "summary": plan.summary,
        "data": data,
        "error": "",
        **me()._asdict(),
    }


def _step_row(plan_id: str, number: int, step: Step) -> dict[str, Any]:
    return {
        "plan_id": plan_id,
        "number": number,
        "data": step.dump(),
        "summary": step.summary,
        "command": step.command,
        "status": "pending",
        "started": None,
        "seconds": None,
        "error": "",
    }


def _stored(row: Row[Any], rows: list[Row[Any]]) -> StoredPlan:
    plan = Plan(
        id=row.id,
        target=row.target,
        summary=row.summary,
        steps=[_load_step(step) for step in rows],
        **row.data,
    )
    who = Who(row.user, row.host, row.pid, row.pid_started)
    return StoredPlan(
        plan=plan,
        status=row.status,
        error=row.error,
        statuses=[step.status for step in rows],
        errors=[step.error for step in rows],
        seconds=[step.seconds for step in rows],
        created_at=datetime.fromtimestamp(row.created, UTC),
        user=row.user,
        host=row.host,
        pid=row.pid,
        alive=row.status == "running" and not who.gone,
        elsewhere=not who.here,
        updated=row.updated,
    )


def _load_step(row: Row[Any]) -> Step:
    """Load a step; one that this version can't read still shows its summary and command."""
    try:
        return Step.load(row.data)
    except (PlanError, ValidationError) as error:
        return StoredStep(text=row.summary, shown=row.command, problem=_why(error, row.data))


def _why(error: PlanError | ValidationError, data: dict[str, Any]) -> str:
    if isinstance(error, PlanError):
        return error.reason
    return f"this version of hostler writes the step {data.get('kind')!r} in another way"


def _entry(row: Row[Any]) -> LogEntry:
    if row.status not in get_args(StepStatus):
        raise PlanError(f"the journal has an unknown status {row.status!r}")
    return LogEntry(
        timestamp=datetime.fromtimestamp(row.started, UTC),
        command=row.command,
        summary=row.summary,
        status=row.status,
        execution_time=row.seconds,
        user=row.user,
        plan_id=row.plan_id,
        target=row.target,
        error=row.error,
    )
