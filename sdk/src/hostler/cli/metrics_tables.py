# SPDX-License-Identifier: Apache-2.0
"""Tables of metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from hostler.cli import render

if TYPE_CHECKING:
    from rich.table import Table

    from hostler.models.metrics import Figures, History, HostMetrics, SystemMetrics, VmMetrics

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 24
_SHOWN = ("cpu.usage_percent", "memory.usage_percent")


def vms(found: Sequence[VmMetrics]) -> Table:
    """Return the table of VMs' figures."""
    rows: list[list[str | Text]] = [
        [
            vm.name,
            vm.host,
            render.word(vm.status or "unknown"),
            *_common(vm.metrics),
            chart(vm.history),
        ]
        for vm in found
    ]
    columns = (
        "vm",
        "host",
        "status",
        "cpu %",
        "memory gib",
        "disk mb/s",
        "net mbit/s",
        "over time",
    )
    return render.table(*columns, rows=rows, wide="host")


def hosts(found: Sequence[HostMetrics]) -> Table:
    """Return the table of hosts' figures."""
    rows: list[list[str | Text]] = [
        [
            host.host_id,
            render.word(host.status or ""),
            *_common(host.metrics),
            number(host.metrics, "storage.usage_percent"),
            number(host.metrics, "vms.running"),
            chart(host.history),
        ]
        for host in found
    ]
    columns = (
        *("host", "status", "cpu %", "memory gib", "disk mb/s", "net mbit/s"),
        *("storage %", "vms", "over time"),
    )
    return render.table(*columns, rows=rows, wide="host")


def system(found: SystemMetrics) -> Table:
    """Return all hosts' figures as names and values."""
    rows = [
        (f"{group} {name}", Text("-" if value is None else f"{value:g}"))
        for group, values in found.metrics.items()
        for name, value in values.items()
    ]
    hosts = f"{found.active_hosts} of {found.total_hosts}"
    return render.facts([("hosts", Text(hosts)), *rows, ("over time", chart(found.history))])


def _common(figures: Figures) -> list[str | Text]:
    memory = [number(figures, f"memory.{name}") for name in ("used_gb", "total_gb")]
    return [
        number(figures, "cpu.usage_percent"),
        "/".join(memory) if any(part not in ("", "-") for part in memory) else "",
        _pair(figures, "disk.read_mbps", "disk.write_mbps"),
        _pair(figures, "network.rx_mbps", "network.tx_mbps"),
    ]


def _pair(figures: Figures, one: str, other: str) -> str:
    both = [number(figures, one), number(figures, other)]
    return "/".join(both) if set(both) - {"", "-"} else ""


def number(figures: Figures, name: str) -> str:
    """Write a value; - where it is not known, nothing where it was not asked for."""
    group, _, one = name.partition(".")
    if one not in figures.get(group, {}):
        return ""
    value = figures[group][one]
    return "-" if value is None else f"{round(value, 2):g}"


def chart(history: History | None) -> Text:
    """Draw the first metric of a history; a gap is a space."""
    if history is None or not history.values:
        return Text("")
    name = next((one for one in _SHOWN if one in history.values), next(iter(history.values)))
    row = history.values[name][-WIDTH:]
    top = max((value for value in row if value is not None), default=0) or 1
    drawn = (" " if v is None else BARS[min(7, int(8 * v / top))] for v in row)
    return Text("".join(drawn))
