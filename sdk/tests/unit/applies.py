# SPDX-License-Identifier: Apache-2.0
"""A program for the tests to kill: applies, resumes or undoes a plan of toys.

applies.py JOURNAL FOLDER run|resume|undo PLAN [STEP...]; a STEP is ``name`` or
``name:fault`` (apply), ``name:undo:fault`` (undo) or ``name:sleep:seconds``.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from hostler.errors import HostlerError
from hostler.plan import Plan, Step
from hostler.plan.journal import Journal
from hostler.plan.runner import Runner
from hostler.store import Store

spec = spec_from_file_location("toys", Path(__file__).with_name("toys.py"))
assert spec
assert spec.loader
toys = module_from_spec(spec)
sys.modules["toys"] = toys
spec.loader.exec_module(toys)


def main() -> int:
    """Do what the arguments say; 1 with a sentence on failure."""
    journal, folder, verb, plan_id, *steps = sys.argv[1:]
    runner = Runner(toys.Folder(Path(folder)), lambda: Journal(Store(f"sqlite:///{journal}")))
    try:
        if verb == "run":
            made = [step(text) for text in steps]
            runner.run(Plan(id=plan_id, target="toy/1", summary="make toys", steps=made))
        else:
            getattr(runner, verb)(plan_id)
    except HostlerError as error:
        print(error)
        return 1
    return 0


def step(text: str) -> Step:
    """Make a step of ``name``, ``name:fault`` or ``name:undo:fault``."""
    name, _, fault = text.partition(":")
    word, _, value = fault.partition(":")
    fields = {"undo": {"undo_fault": value}, "sleep": {"seconds": value}}
    made: Step = toys.Toy(name=name, **fields.get(word, {"fault": fault}))
    return made


if __name__ == "__main__":
    sys.exit(main())
