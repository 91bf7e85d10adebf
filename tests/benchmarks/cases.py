# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured, and how fast it should be."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import libvirt

from benchmarks.ansibles import Ansible, Task
from benchmarks.measure import Cost, measure
from benchmarks.rig import far_away, remove, vms

HERE = Path(__file__).resolve().parent
RAW = HERE / "raw"
SLOW_RUNS = 3
"""Runs of what takes half a minute."""


@dataclass(frozen=True)
class Ratio:
    """Something that should be at least, or at most, some times something else."""

    sentence: str
    value: float
    target: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the target is met."""
        return self.value >= self.target if self.at_least else self.value <= self.target


@dataclass
class Section:
    """One benchmark's results."""

    title: str
    text: str
    costs: dict[str, Cost] = field(default_factory=dict)
    ratios: list[Ratio] = field(default_factory=list)

    def add(self, name: str, cost: Cost) -> Cost:
        """Note a result, and show it."""
        self.costs[name] = cost
        print(f"  {name:<60} {cost.wall:7.2f} s  {cost.cpu:7.2f} CPU s", flush=True)
        return cost


@dataclass(frozen=True)
class Bench:
    """Where to measure, with what, how often."""

    uri: str
    ours: Ansible
    peer: Ansible
    runs: int

    @property
    def slow_runs(self) -> int:
        """Runs of what takes long."""
        return min(self.runs, SLOW_RUNS)


def imports(bench: Bench) -> Section:
    """`import hostler`."""
    section = Section(
        "import hostler",
        "A fresh Python that imports the SDK. libvirt, pydantic, SQLAlchemy load when first used.",
    )
    python = partial(measure, runs=max(bench.runs, 15))
    empty = section.add("python -c pass", python([sys.executable, "-c", "pass"]))
    loaded = section.add("import hostler", python([sys.executable, "-c", "import hostler"]))
    milliseconds = (loaded.cpu - empty.cpu) * 1000
    section.ratios.append(Ratio("CPU milliseconds of `import hostler`", milliseconds, 60))
    return section


def running(bench: Bench) -> Section:
    """50 tasks that find nothing to do."""
    section = Section(
        "50 VMs that run already: state=running",
        "What most tasks of most runs are: everything is as it should be already.",
    )
    with vms(bench.uri, 50, running=True) as names:
        empty = section.add("empty play", bench.ours.play([], runs=bench.runs))
        vm, virt = _vm(bench.uri), _virt(bench.uri)
        ours = section.add(
            "hostler.fleet.vm, a loop of 50", bench.ours.play([_loop(vm, names)], runs=bench.runs)
        )
        ours_tasks = section.add(
            "hostler.fleet.vm, 50 tasks", bench.ours.play([vm(n) for n in names], runs=bench.runs)
        )
        section.add(
            "hostler.fleet.vm, one task with a list of 50",
            bench.ours.play([_many(bench.uri, names, state="running")], runs=bench.runs),
        )
        theirs = section.add(
            "community.libvirt.virt, a loop of 50",
            bench.peer.play([_loop(virt, names)], runs=bench.slow_runs),
        )
        theirs_tasks = section.add(
            "community.libvirt.virt, 50 tasks",
            bench.peer.play([virt(n) for n in names], runs=bench.slow_runs),
        )
    share = empty.cpu
    section.ratios += [
        Ratio("loop: CPU of Hostler / community.libvirt", ours.cpu / theirs.cpu, 0.1),
        Ratio("tasks: CPU of Hostler / community.libvirt", ours_tasks.cpu / theirs_tasks.cpu, 0.1),
        Ratio(
            "loop, less the empty play: CPU of Hostler / community.libvirt",
            (ours.cpu - share) / (theirs.cpu - share),
            0.1,
        ),
    ]
    return section


def define(bench: Bench) -> Section:
    """50 VMs made in one task."""
    section = Section(
        "50 new VMs in one task",
        "Beside the empty play and a script that makes the same 50 definitions, one call each. The"
        " task does more: it looks what is there, plans, keeps a journal and reads the VMs back.",
    )
    names = [f"bench-{number:04}" for number in range(50)]
    clean = partial(remove, bench.uri)
    task = _many(bench.uri, names, cpus=1, memory="64MiB", virt_type="qemu")
    try:
        empty = section.add("empty play", bench.ours.play([], runs=bench.runs))
        bench.ours.play([task], runs=1, prepare=clean)
        definitions = bench.ours.work / "definitions.json"
        definitions.write_text(json.dumps(_definitions(bench.uri, set(names))))
        script = [sys.executable, RAW / "define.py", bench.uri, definitions]
        raw = section.add(
            "libvirt-python, 50 defineXML", measure(script, runs=bench.runs, prepare=clean)
        )
        ours = section.add(
            "hostler.fleet.vm, one task with a list of 50",
            bench.ours.play([task], runs=bench.runs, prepare=clean),
        )
        theirs = section.add(
            "community.libvirt.virt, a loop of 50",
            bench.peer.play(
                [_define_loop(bench.uri, json.loads(definitions.read_text()))],
                runs=bench.slow_runs,
                prepare=clean,
            ),
        )
    finally:
        clean()
    section.ratios += [
        Ratio(
            "time of Hostler / (empty play + libvirt-python)",
            ours.wall / (empty.wall + raw.wall),
            1.5,
        ),
        Ratio("time of community.libvirt / Hostler", theirs.wall / ours.wall, 1, at_least=True),
    ]
    return section


def inventory(bench: Bench) -> Section:
    """1,000 defined VMs."""
    section = Section(
        "Inventory of 1,000 VMs",
        "`ansible-inventory --list`, beside the empty inventory and a script with the calls that an"
        " inventory can't do without: the list, the statistics, the XML of each VM.",
    )
    with vms(bench.uri, 1000):
        _inventories(bench, section, bench.uri)
    empty, raw, ours, theirs = section.costs.values()
    section.ratios += [
        Ratio(
            "time of Hostler / (empty inventory + libvirt-python)",
            ours.wall / (empty.wall + raw.wall),
            1.5,
        ),
        _share("time of community.libvirt / Hostler", theirs, ours, empty, 2),
    ]
    return section


def far_inventory(bench: Bench) -> Section:
    """200 VMs at 10 ms per round trip."""
    section = Section(
        "Inventory of 200 VMs, 10 ms away",
        "The same through a proxy that makes every round trip last 10 ms. Ansible's own share is"
        " the empty inventory; what is left is the plugin's.",
    )
    with vms(bench.uri, 200), far_away(bench.uri, 10) as uri:
        _inventories(bench, section, uri)
    empty, _, ours, theirs = section.costs.values()
    section.ratios += [
        _share("time of community.libvirt / Hostler", theirs, ours, empty, 20),
        Ratio(
            "time of community.libvirt / Hostler, whole commands",
            theirs.wall / ours.wall,
            1,
            at_least=True,
        ),
    ]
    return section


def _inventories(bench: Bench, section: Section, uri: str) -> None:
    empty: dict[str, Any] = {"all": {}}
    ours = {"plugin": "hostler.fleet.vms", "uri": uri}
    theirs = {"plugin": "community.libvirt.libvirt", "uri": uri}
    section.add("empty inventory", bench.ours.inventory("empty.yml", empty, runs=bench.runs))
    script = [sys.executable, RAW / "inventory.py", uri]
    section.add("libvirt-python, list, statistics and XML", measure(script, runs=bench.runs))
    section.add(
        "hostler.fleet.vms", bench.ours.inventory("ours.hostler.yml", ours, runs=bench.runs)
    )
    section.add(
        "community.libvirt.libvirt",
        bench.peer.inventory("theirs.libvirt.yml", theirs, runs=bench.slow_runs),
    )


def _share(sentence: str, theirs: Cost, ours: Cost, empty: Cost, target: float) -> Ratio:
    value = (theirs.wall - empty.wall) / max(ours.wall - empty.wall, 0.001)
    return Ratio(f"{sentence}, less the empty inventory", value, target, at_least=True)


def _vm(uri: str) -> Callable[[str], Task]:
    return lambda name: {"hostler.fleet.vm": {"name": name, "state": "running", "uri": uri}}


def _virt(uri: str) -> Callable[[str], Task]:
    return lambda name: {"community.libvirt.virt": {"name": name, "state": "running", "uri": uri}}


def _loop(task: Callable[[str], Task], names: list[str]) -> Task:
    return {**task("{{ item }}"), "loop": names}


def _many(uri: str, names: list[str], **options: Any) -> Task:
    return {"hostler.fleet.vm": {"uri": uri, "vms": [{"name": n} for n in names], **options}}


def _define_loop(uri: str, definitions: list[str]) -> Task:
    virt = {"command": "define", "xml": "{{ item }}", "uri": uri}
    return {"community.libvirt.virt": virt, "loop": definitions}


def _definitions(uri: str, names: set[str]) -> list[str]:
    """Return the XML of VMs as it was before libvirt gave them a UUID."""
    with closing(libvirt.open(uri)) as connection:
        found = [
            domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
            for domain in connection.listAllDomains()
            if domain.name() in names
        ]
    return [re.sub(r"<uuid>.*?</uuid>", "", xml) for xml in found]


CASES: dict[str, Callable[[Bench], Section]] = {
    "imports": imports,
    "running": running,
    "define": define,
    "inventory": inventory,
    "far-inventory": far_inventory,
}
