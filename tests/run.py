# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the project's tests, stage by stage: `make test`, `make quick`.

Every stage's output is in .cache/test-logs/<stage>.log. The exit code is 1 when anything failed.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock

from stages.process import run, stop
from stages.stage import LOGS, ROOT, Lane, Outcome, Stage, When
from stages.table import STAGES

SIDE_BY_SIDE = 2
TAIL = 40
_printing = Lock()
_interrupted = Event()


def main() -> int:
    """Run what the command line asks for; the exit code."""
    arguments = _arguments()
    if arguments.list:
        for stage in STAGES:
            print(f"{stage.name:<32}{stage.when.name.lower():<7}{' '.join(stage.argv)}")
        return 0
    times = {When.QUICK} if arguments.quick else {When.QUICK, When.FULL}
    wanted = arguments.stage or [stage.name for stage in STAGES if stage.when in times]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    LOGS.mkdir(parents=True, exist_ok=True)
    try:
        outcomes = run_all([stage for stage in STAGES if stage.name in wanted])
    except KeyboardInterrupt:
        print("interrupted")
        return 130
    _summary(outcomes)
    return 0 if all(outcome.ok for outcome in outcomes) else 1


def run_all(stages: Sequence[Stage]) -> list[Outcome]:
    """Run lanes side by side, then the rigs' lanes; the outcomes in the order of `stages`."""
    lanes = {lane: [stage for stage in stages if stage.lane is lane] for lane in Lane}
    rigs = [lanes.pop(lane) for lane in (Lane.RIG, Lane.OPENSTACK)]
    outcomes = _side_by_side(lanes.values()) + _side_by_side(rigs)
    return sorted(outcomes, key=lambda outcome: stages.index(outcome.stage))


def _side_by_side(lanes: Iterable[Sequence[Stage]]) -> list[Outcome]:
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        try:
            return [outcome for lane in pool.map(_run_lane, lanes) for outcome in lane]
        except KeyboardInterrupt:
            _interrupted.set()
            stop()
            raise


def _run_lane(stages: Iterable[Stage]) -> list[Outcome]:
    outcomes = []
    for stage in stages:
        if _interrupted.is_set():
            break
        outcomes.append(run(stage))
        _report(outcomes[-1])
    return outcomes


def _report(outcome: Outcome) -> None:
    stage = outcome.stage
    with _printing:
        print(_line(outcome), flush=True)
        if not outcome.ok:
            for line in stage.log.read_text(errors="replace").splitlines()[-TAIL:]:
                print(f"     | {line}")
            print(
                f"     {outcome.reason.splitlines()[0]}; all of it: {stage.log.relative_to(ROOT)}",
                flush=True,
            )


def _line(outcome: Outcome) -> str:
    counts = f"{outcome.passed} passed" + (f", {outcome.failed} failed" if outcome.failed else "")
    word = "ok" if outcome.ok else "FAIL"
    return f"{word:<5}{outcome.stage.name:<32}{outcome.seconds:7.1f} s   {counts}"


def _summary(outcomes: Iterable[Outcome]) -> None:
    outcomes = list(outcomes)
    print("\n" + "\n".join(_line(outcome) for outcome in outcomes) + "\n")
    print(f"{sum(o.passed for o in outcomes)} passed, {sum(o.failed for o in outcomes)} failed")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run the project's tests.")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="the inner loop: format, lint, types, layers, unit tests",
    )
    parser.add_argument(
        "--stage",
        action="append",
        choices=[s.name for s in STAGES],
        metavar="NAME",
        help="run only this stage (may be repeated)",
    )
    parser.add_argument("--list", action="store_true", help="show the stages and stop")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
