# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured, and how fast it should be."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import libvirt

from benchmarks import gpu, hosts, metrics
from benchmarks.ansibles import Ansible, Task
from benchmarks.measure import Cost, Run, measure
from benchmarks.rig import PREFIX, far_away, remove, vms

HERE = Path(__file__).resolve().parent
RAW = HERE / "raw"
HELLO: Task = {"ansible.builtin.debug": {"msg": "hello"}}
"""What a task costs that does nothing: Ansible's own share."""

SLOW_ROUNDS = 3
"""Rounds with what takes half a minute."""


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

    def note(self, costs: dict[str, Cost]) -> Iterator[Cost]:
        """Note what was measured elsewhere, and show it; the costs in their order."""
        self.costs.update(costs)
        for name, cost in costs.items():
            print(f"  {name:<60} {cost.wall:7.3f} s  {cost.cpu:7.3f} CPU s", flush=True)
        return iter(costs.values())

    def measure(self, wanted: dict[str, Run], rounds: int) -> Iterator[Cost]:
        """Measure, note and show; the costs in the order of the commands."""
        self.costs.update(measure(wanted, rounds=rounds))
        for name in wanted:
            cost = self.costs[name]
            print(f"  {name:<60} {cost.wall:7.2f} s  {cost.cpu:7.2f} CPU s", flush=True)
        return iter([self.costs[name] for name in wanted])


@dataclass(frozen=True)
class Bench:
    """Where to measure, with what, how often."""

    uri: str
    ours: Ansible
    peer: Ansible
    rounds: int


def imports(bench: Bench) -> Section:
    """`import hostler`."""
    section = Section(
        "import hostler",
        "A fresh Python that imports the SDK. libvirt, pydantic, SQLAlchemy load when first used.",
    )
    empty, loaded = section.measure(
        {
            "python -c pass": Run([sys.executable, "-c", "pass"]),
            "import hostler": Run([sys.executable, "-c", "import hostler"]),
        },
        max(bench.rounds, 15),
    )
    milliseconds = (loaded.cpu - empty.cpu) * 1000
    section.ratios.append(Ratio("CPU milliseconds of `import hostler`", milliseconds, 60))
    return section


def running(bench: Bench) -> Section:
    """50 tasks that find nothing to do."""
    section = Section(
        "50 VMs that run already: state=running",
        "What most tasks of most runs are: everything is as it should be already. Ansible forks for"
        " each task; what that costs is shown by 50 tasks of debug, which do nothing, so that it is"
        " the least that 50 tasks of anything can take.",
    )
    ours, theirs = bench.ours, partial(bench.peer.play, at_most=SLOW_ROUNDS)
    with vms(bench.uri, 50, running=True) as names:
        vm, virt = _vm(bench.uri), _virt(bench.uri)
        empty, hello, loop, tasks, _listed, their_loop, their_tasks = section.measure(
            {
                "empty play": ours.play([]),
                "ansible.builtin.debug, 50 tasks": ours.play([HELLO] * len(names)),
                "hostler.fleet.vm, a loop of 50": ours.play([_loop(vm, names)]),
                "hostler.fleet.vm, 50 tasks": ours.play([vm(name) for name in names]),
                "hostler.fleet.vm, one task with a list of 50": ours.play(
                    [_many(bench.uri, names, state="running")]
                ),
                "community.libvirt.virt, a loop of 50": theirs([_loop(virt, names)]),
                "community.libvirt.virt, 50 tasks": theirs([virt(name) for name in names]),
            },
            bench.rounds,
        )
    both = "CPU of Hostler / community.libvirt"
    section.ratios += [
        Ratio(f"loop: {both}", loop.cpu / their_loop.cpu, 0.1),
        Ratio(f"tasks: {both}", tasks.cpu / their_tasks.cpu, 0.1),
        Ratio("tasks of debug: CPU / community.libvirt", hello.cpu / their_tasks.cpu, 0.1),
        Ratio(
            f"loop, less the empty play: {both}",
            (loop.cpu - empty.cpu) / (their_loop.cpu - empty.cpu),
            0.1,
        ),
        Ratio(
            f"tasks, less 50 tasks of debug: {both}",
            (tasks.cpu - hello.cpu) / (their_tasks.cpu - hello.cpu),
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
    names = [f"{PREFIX}{number:04}" for number in range(50)]
    clean = partial(remove, bench.uri)
    task = bench.ours.play(
        [_many(bench.uri, names, cpus=1, memory="64MiB", virt_type="qemu")], prepare=clean
    )
    try:
        measure({"to have the definitions": task}, rounds=1)
        definitions = _definitions(bench.uri, set(names))
        file = bench.ours.work / "definitions.json"
        file.write_text(json.dumps(definitions))
        theirs = [_define_loop(bench.uri, definitions)]
        empty, raw, ours, their_loop = section.measure(
            {
                "empty play": bench.ours.play([]),
                "libvirt-python, 50 defineXML": Run(
                    [sys.executable, RAW / "define.py", bench.uri, file], prepare=clean
                ),
                "hostler.fleet.vm, one task with a list of 50": task,
                "community.libvirt.virt, a loop of 50": bench.peer.play(
                    theirs, prepare=clean, at_most=SLOW_ROUNDS
                ),
            },
            bench.rounds,
        )
    finally:
        clean()
    section.ratios += [
        Ratio(
            "time of Hostler / (empty play + libvirt-python)",
            ours.wall / (empty.wall + raw.wall),
            1.5,
        ),
        Ratio("time of community.libvirt / Hostler", their_loop.wall / ours.wall, 1, at_least=True),
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
        empty, raw, ours, theirs = _inventories(bench, section, bench.uri)
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
        empty, _floor, ours, theirs = _inventories(bench, section, uri)
    whole = "time of community.libvirt / Hostler, whole commands"
    section.ratios += [
        _share("time of community.libvirt / Hostler", theirs, ours, empty, 20),
        Ratio(whole, theirs.wall / ours.wall, 1, at_least=True),
    ]
    return section


def _inventories(bench: Bench, section: Section, uri: str) -> Iterator[Cost]:
    ours, theirs = "hostler.fleet.vms", "community.libvirt.libvirt"
    return section.measure(
        {
            "empty inventory": bench.ours.inventory({"all": {}}),
            "libvirt-python, list, statistics and XML": Run(
                [sys.executable, RAW / "inventory.py", uri]
            ),
            ours: bench.ours.inventory({"plugin": ours, "uri": uri}),
            theirs: bench.peer.inventory({"plugin": theirs, "uri": uri}, at_most=SLOW_ROUNDS),
        },
        bench.rounds,
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


def gpu_hosts(bench: Bench) -> Section:
    """Overviews and moves of GPU hosts, on an OpenStack of their own."""
    section = Section(
        "58 GPU hosts and more than 100 servers",
        "On a real OpenStack with fake computes. The overview of all GPU types reads servers,"
        " aggregates, hypervisors and Placement; openstacksdk reads the servers alone. Twenty hosts"
        " move from one aggregate to another, one after the other and eight at once.",
    )
    with gpu.cloud() as env:
        raw, ours, one, eight = section.measure(
            {
                "openstacksdk, servers(all_projects, details)": Run(gpu.python("servers.py"), env),
                "hostler, overview of all GPU types": Run(gpu.python("overview.py"), env),
                "hostler, 20 moves, one at a time": Run(gpu.moves(1), env, at_most=SLOW_ROUNDS),
                "hostler, 20 moves, eight at a time": Run(gpu.moves(8), env, at_most=SLOW_ROUNDS),
            },
            bench.rounds,
        )
    section.ratios += [
        Ratio("time of the overview / openstacksdk's servers", ours.wall / raw.wall, 1.2),
        Ratio("time of moves one at a time / eight at a time", one.wall / eight.wall, 1, True),
    ]
    return section


def collecting(bench: Bench) -> Section:
    """A round of the collector for 1,000 VMs."""
    section = Section(
        "Metrics of 1,000 VMs: a round of the collector",
        "Beside libvirt's own getAllDomainStats, for the same figures in one process, by turns."
        " 100 of the VMs run, as many as fit here; the others are defined. The round reads the host"
        " and its pools too, makes rates, and writes all of it into the store.",
    )
    with vms(bench.uri, 900), vms(bench.uri, 100, running=True, first=900):
        told = metrics.told("collect.py", bench.uri, max(bench.rounds, 15))
    raw, ours = section.note(
        {
            "libvirt-python, getAllDomainStats": Cost(*told["raw"]),
            "hostler metrics collect, a round": Cost(*told["collect"]),
        }
    )
    section.ratios.append(Ratio("time of a round / getAllDomainStats", ours.wall / raw.wall, 1.3))
    return section


def history(bench: Bench) -> Section:
    """A day of 100 VMs at 15 seconds."""
    section = Section(
        "Metrics of 100 VMs: a day at 15 seconds",
        "576,000 samples of 27 figures each, half of them of busy VMs, asked for as a history of 24"
        " hours. Bytes are those of the database, with the coarser figures that it keeps longer.",
    )
    told = metrics.told("history.py", min(bench.rounds, SLOW_ROUNDS))
    section.note({f"24 hours, {name}": Cost(*cost) for name, cost in told["queries"].items()})
    each = told["packing"] / (100 * 24)
    section.ratios += [
        Ratio("seconds of 24 hours, one metric, by 1m", told["queries"]["one metric, by 1m"][0], 2),
        Ratio("bytes of a sample", told["bytes"], 64),
        Ratio("milliseconds to pack an hour of a VM", each * 1000, 20),
    ]
    return section


def looking(bench: Bench) -> Section:
    """50 VMs that run, looked at in one playbook."""
    section = Section(
        "Metrics of 50 VMs in a playbook",
        "Lookups beside one scrape of Debian's prometheus-libvirt-exporter by curl. A collector has"
        " run before, so that rates need no second look.",
    )
    wanted = "{{ query('hostler.fleet.vm_metrics', {}, uri='" + bench.uri + "') }}"
    debug = "ansible.builtin.debug"
    with vms(bench.uri, 50, running=True) as names, metrics.exporter(bench.uri) as address:
        collect = partial(metrics.collect, bench.uri, bench.ours.env)
        scrape, empty, one, hello, loop = section.measure(
            {
                "prometheus-libvirt-exporter, one scrape": Run(
                    ["curl", "--silent", "--show-error", "--fail", address]
                ),
                "empty play": bench.ours.play([]),
                "hostler.fleet.vm_metrics, one lookup of 50": bench.ours.play(
                    [{debug: {"msg": wanted.replace("{}", str(names))}}], prepare=collect
                ),
                "ansible.builtin.debug, a loop of 50": bench.ours.play([{**HELLO, "loop": names}]),
                "hostler.fleet.vm_metrics, a loop of 50": bench.ours.play(
                    [{debug: {"msg": wanted.replace("{}", "item")}, "loop": names}],
                    prepare=collect,
                ),
            },
            bench.rounds,
        )
    section.ratios += [
        Ratio(
            "time of one lookup / (empty play + scrape)", one.wall / (empty.wall + scrape.wall), 2
        ),
        Ratio(
            "time of a loop / (loop of debug + scrape)", loop.wall / (hello.wall + scrape.wall), 2
        ),
    ]
    return section


def pool(bench: Bench) -> Section:
    """Three hosts at once, 10 ms away."""
    section = Section(
        "A pool of three hosts, 10 ms away",
        "Each host is behind a proxy of its own that makes every round trip last 10 ms. All three"
        " at once, beside the slowest of them alone, in one process and by turns. Round trips are"
        " those that wait for one another: what 100 ms more in each add to the whole.",
    )
    with hosts.three() as uris:
        with hosts.filled(uris, 20), hosts.away(uris, 10) as far:
            told = hosts.told("pool.py", bench.rounds, *far)
        with hosts.filled(uris[:1], 200), hosts.away(uris[:1], 100) as far:
            ((near, _cpu), (slow, _more)) = (
                hosts.told("pool.py", bench.rounds, uri)["inventory"][1] for uri in (uris[0], *far)
            )
            theirs = _their_trips(bench, uris[0])
    for name, (together, *alone) in told.items():
        both = {
            f"{name} of three hosts": Cost(*together),
            f"{name} of the slowest": Cost(*max(alone)),
        }
        three, one = section.note(both)
        ratio = Ratio(f"{name}: time of three hosts / the slowest", three.wall / one.wall, 1.3)
        section.ratios.append(ratio)
    trips = (slow - near) / 0.1
    section.ratios += [
        Ratio("round trips of the inventory of a host with 200 VMs", trips, 12),
        Ratio("round trips of community.libvirt's", theirs, trips, at_least=True),
    ]
    return section


def _their_trips(bench: Bench, near: str) -> float:
    """Return how many round trips one after the other the peer's inventory takes."""
    name, inventory = "community.libvirt.libvirt", bench.peer.inventory
    with far_away(near, 10) as far:
        runs = {uri: inventory({"plugin": name, "uri": uri}) for uri in (near, far)}
        costs = measure(runs, rounds=1)
        return (costs[far].wall - costs[near].wall) / 0.01


def drain(bench: Bench) -> Section:
    """A host is emptied."""
    section = Section(
        "A host with 10 VMs is drained",
        "They move to two other hosts while they run, one after the other and all at once.",
    )
    store = bench.ours.work / "drain.db"
    with hosts.three() as uris:
        one, ten = section.measure(
            {
                "hostler, one VM at a time": hosts.drain(uris, 1, store),
                "hostler, ten VMs at a time": hosts.drain(uris, 10, store),
            },
            bench.rounds,
        )
    ratio = Ratio("time of one at a time / ten at a time", one.wall / ten.wall, 1, at_least=True)
    section.ratios.append(ratio)
    return section


CASES: dict[str, Callable[[Bench], Section]] = {
    "imports": imports,
    "running": running,
    "define": define,
    "inventory": inventory,
    "far-inventory": far_inventory,
    "pool": pool,
    "drain": drain,
    "gpu-hosts": gpu_hosts,
    "metrics-collect": collecting,
    "metrics-history": history,
    "metrics-lookups": looking,
}
