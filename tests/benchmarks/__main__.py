# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m benchmarks, in tests/: measures and writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks import report
from benchmarks.ansibles import ours, peer
from benchmarks.cases import CASES, SLOW_ROUNDS, Bench, Section
from benchmarks.rig import hypervisor


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", action="append", choices=CASES, help="only this (repeatable)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds to take the median of")
    arguments = parser.parse_args()
    cases = arguments.case or list(CASES)
    with tempfile.TemporaryDirectory() as work, hypervisor() as uri:
        bench = Bench(uri, ours(Path(work)), peer(Path(work)), arguments.rounds)
        sections = [_run(name, bench) for name in cases]
    if cases == list(CASES):
        page = report.write(
            sections, rounds=arguments.rounds, slow=min(arguments.rounds, SLOW_ROUNDS)
        )
        print(f"written: {page.name}")


def _run(name: str, bench: Bench) -> Section:
    print(f"{name}", flush=True)
    section = CASES[name](bench)
    for ratio in section.ratios:
        word = "at least" if ratio.at_least else "at most"
        verdict = "" if ratio.holds else "   MISSED"
        print(f"  -> {ratio.sentence}: {ratio.value:.3g} (wanted {word} {ratio.target:g}){verdict}")
    return section


if __name__ == "__main__":
    main()
