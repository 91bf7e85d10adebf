# SPDX-License-Identifier: Apache-2.0
"""Renders ReportData as one HTML file that needs nothing else: no network, no script. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import tzinfo
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hostler.models.alert import SEVERITIES
from hostler.models.report import ReportData, ReportHost, ReportVm, Use
from hostler.report import drawing, wording

FIRST_HOSTS, FIRST_ALERTS, FIRST_VMS = 20, 10, 12
"""Rows that are open; others are folded away, and more VMs all together."""
TROUBLE = ("unreachable", "crashed", "unknown", "stopping", "paused", "suspended", "maintenance")
"""Statuses that come first."""
VM_STATES = ("running", "paused", "suspended", "stopping", "stopped", "crashed", "unknown")

Row = TypeVar("Row", ReportHost, ReportVm)


def render(data: ReportData, zone: tzinfo | None = None) -> str:
    """Return the report as HTML; times are in ``zone``, or in that of this machine."""
    hosts, vms = by_trouble(data.hosts), by_trouble(data.vms)
    return (
        _environment()
        .get_template("report.html")
        .render(
            data=data,
            hosts=hosts,
            vms=vms,
            states=states(data.vms),
            totals=totals(data.hosts),
            first_hosts=FIRST_HOSTS,
            first_alerts=FIRST_ALERTS,
            first_vms=FIRST_VMS,
            moment=partial(wording.moment, zone=zone),
            clock=partial(drawing.clock, zone=zone),
            ago=partial(wording.ago, now=data.generated_at),
            zone=data.generated_at.astimezone(zone).strftime("%Z"),
        )
    )


def by_trouble(rows: Iterable[Row]) -> list[Row]:
    """Sort rows: those with alerts first, the worst of them, then by status and name."""
    return sorted(
        rows,
        key=lambda row: (
            SEVERITIES.index(row.worst) if row.worst else len(SEVERITIES),
            TROUBLE.index(row.status) if row.status in TROUBLE else len(TROUBLE),
            row.name,
        ),
    )


def states(vms: Iterable[ReportVm]) -> list[tuple[str, int]]:
    """Count VMs by state, in the order in which they are drawn."""
    counted = Counter(vm.status for vm in vms)
    others = sorted(set(counted) - set(VM_STATES))
    return [(state, counted[state]) for state in (*VM_STATES, *others) if counted[state]]


def totals(hosts: Iterable[ReportHost]) -> dict[str, Use]:
    """Sum hosts up, those that are known."""
    listed = list(hosts)
    return {
        name: _sum([getattr(h, name) for h in listed])
        for name in ("vcpus", "memory", "storage", "gpus")
    }


def _sum(uses: list[Use]) -> Use:
    known = [(use.used, use.total) for use in uses if use.used is not None and use.total]
    if not known:
        return Use()
    used, total = sum(a for a, _ in known), sum(b for _, b in known if b)
    return Use(used=used, total=total, percent=100 * used / total if total else None)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    tools: dict[str, Any] = {
        name: getattr(wording, name) for name in ("percent", "count", "size", "value", "plural")
    }
    tools |= {
        name: getattr(drawing, name) for name in ("path", "area", "scale", "top_of", "summary")
    }
    made.globals.update(tools)
    return made
