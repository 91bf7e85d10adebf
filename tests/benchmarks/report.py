# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the results down: docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import libvirt

from benchmarks.ansibles import peer_version
from benchmarks.cases import Ratio, Section
from benchmarks.rig import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"

HEAD = """\
<!--
Copyright: Hostler contributors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
Written by `make bench`; do not edit.
-->

# Benchmarks

`make bench` measures this on your machine and writes this page. It starts a libvirt host of its
own, makes VMs on it and removes both. Ratios tell more than seconds: everything on this page was
measured in one run on one machine. The commands take turns; times are medians of {rounds} rounds
({slow} for community.libvirt). CPU counts all processes that a command starts.

| | |
|---|---|
"""


def write(sections: Iterable[Section], *, rounds: int, slow: int) -> Path:
    """Write the page."""
    rows = "".join(f"| {name} | {value} |\n" for name, value in _machine().items())
    parts = [HEAD.format(rounds=rounds, slow=slow) + rows, *(_section(s) for s in sections)]
    PAGE.write_text("\n".join(parts))
    return PAGE


def _section(section: Section) -> str:
    lines = [f"## {section.title}", "", section.text, "", "| | time | CPU |", "|---|--:|--:|"]
    lines += [f"| {name} | {_s(c.wall)} | {_s(c.cpu)} |" for name, c in section.costs.items()]
    lines += ["", "| | measured | wanted |", "|---|--:|--:|"]
    lines += [_ratio(ratio) for ratio in section.ratios]
    return "\n".join(lines) + "\n"


def _ratio(ratio: Ratio) -> str:
    bound = f"{'at least' if ratio.at_least else 'at most'} {ratio.target:g}"
    miss = "" if ratio.holds else " (missed)"
    return f"| {ratio.sentence} | {ratio.value:.2f} | {bound}{miss} |"


def _s(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 0.1 else f"{seconds:.2f} s"


def _machine() -> dict[str, str]:
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    qemu = subprocess.check_output(["qemu-system-x86_64", "--version"], text=True)
    release = re.search(r"version ([\d.]+)", qemu)
    number = libvirt.getVersion()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": f"{processor[1] if processor else platform.machine()}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}",
        "Python": platform.python_version(),
        "ansible-core": version("ansible-core"),
        "community.libvirt": peer_version(),
        "libvirt": f"{number // 10**6}.{number // 1000 % 1000}.{number % 1000}",
        "QEMU": release[1] if release else "unknown",
        "load at the end": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }
