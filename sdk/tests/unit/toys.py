# SPDX-License-Identifier: Apache-2.0
"""Toy steps for the runner's tests: a step writes one line into a file, which is their world."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from hostler.errors import BackendError, Conflict, NotFound, Unreachable
from hostler.plan import Plan, Step
from hostler.plan.step import Report, World

Fault = Literal["", "refused", "lost before", "lost after", "defect before", "defect after", "kill"]


class Folder:
    """The toys' world: a folder; a file in it is a step in effect."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def backend(self, kind: str, target: str) -> Any:
        assert (kind, target) == ("toy", "")
        return self.path

    def names(self) -> list[str]:
        return sorted(p.name for p in self.path.iterdir())


class Toy(Step):
    """Makes the file ``name``; fails as the faults say. ``name.locked`` forbids the undo."""

    kind = "toy.file"

    name: str
    fault: Fault = ""
    undo_fault: Fault = ""
    ask_fault: Fault = ""
    seconds: float = 0.0
    password: SecretStr | None = None

    @property
    def summary(self) -> str:
        return f"make {self.name}"

    @property
    def command(self) -> str:
        return f"touch {self.name}" + (" --password=***" if self.password else "")

    def apply(self, world: World, report: Report) -> None:
        before(self.fault)
        time.sleep(self.seconds)
        report(0.5)
        try:
            (self._folder(world) / self.name).touch(exist_ok=False)
        except FileExistsError:
            raise Conflict("it is there already", on=self.name) from None
        after(self.fault)

    def is_done(self, world: World) -> bool:
        before(self.ask_fault)
        return (self._folder(world) / self.name).exists()

    def undo(self, world: World) -> None:
        before(self.undo_fault)
        if (self._folder(world) / f"{self.name}.locked").exists():
            raise Conflict("it is locked", on=self.name)
        (self._folder(world) / self.name).unlink()
        after(self.undo_fault)

    def _folder(self, world: World) -> Path:
        folder: Path = world.backend("toy", "")
        return folder


class OneWay(Toy):
    """A step that can't be undone."""

    kind = "toy.one_way"
    irreversible = "paper burns"


class Kept(Toy):
    """A step that stays when the plan is undone."""

    kind = "toy.kept"
    kept = "it is of use anyway"


class Copy(Toy):
    """A step that may be half done, and nobody can tell."""

    kind = "toy.copy"
    starts_over = True


class Mended(Toy):
    """A step that leaves a file ``NAME.half`` where a program dies within it."""

    kind = "toy.mended"

    def mend(self, world: World) -> None:
        (self._folder(world) / f"{self.name}.half").unlink(missing_ok=True)


class Look(Toy):
    """A step that only looks."""

    kind = "toy.look"
    only_looks = True

    def apply(self, world: World, report: Report) -> None:
        before(self.fault)
        after(self.fault)

    def is_done(self, world: World) -> bool:
        raise AssertionError("a look is never done")

    def undo(self, world: World) -> None:
        raise AssertionError("a look can't be undone")


def before(fault: Fault) -> None:
    if fault == "refused":
        raise NotFound("no such thing", on="toy", hint="Make one.")
    if fault == "lost before":
        raise Unreachable("the line is cut", on="toy")
    if fault == "defect before":
        raise KeyError("oops")


def after(fault: Fault) -> None:
    if fault == "lost after":
        raise Unreachable("the line is cut", on="toy")
    if fault == "defect after":
        raise KeyError("oops")
    if fault == "kill":
        os.kill(os.getpid(), 9)


def plan_of(*steps: Step, target: str = "toy/1") -> Plan:
    return Plan(target=target, summary="make toys", steps=list(steps))


class BrokenDisk(BackendError):
    """What the journal raises when the tests break it."""
