# SPDX-License-Identifier: Apache-2.0
"""Made-up fleets of any size; the same each time."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from hostler.models.alert import Alert, AlertPage, Unknown
from hostler.models.report import (
    ReportChart,
    ReportCloud,
    ReportCommand,
    ReportData,
    ReportHost,
    ReportPool,
    ReportVm,
    Use,
)

NOW = datetime(2026, 5, 4, 15, 30, tzinfo=UTC)
HOURS = 24
MODELS = ("L40", "H100-SXM5", "A100", "RTX-PRO6000-SE")
EVIL = "<script>alert(1)</script>"


def empty(**more: Any) -> ReportData:
    """A fleet of nothing."""
    fields = {
        "title": "Fleet",
        "generated_at": NOW,
        "version": "0.1.0",
        "hours": HOURS,
        "rules": 12,
    }
    return ReportData.model_validate({**fields, "alerts": AlertPage(timestamp=NOW), **more})


def fleet(hosts: int, vms: int, *, cloud: bool = True, history: bool = True) -> ReportData:
    """A fleet with some trouble in it."""
    dice = random.Random(hosts)  # noqa: S311 - the same each time
    rows = [_host(n, dice, history=history) for n in range(hosts)]
    names = [row.name for row in rows]
    machines = [_vm(n, names[n % hosts], dice) for n in range(vms)]
    firing = sorted(_alerts(rows, machines), key=lambda one: one.severity)
    both: list[ReportHost | ReportVm] = [*rows, *machines]
    for row in both:
        row.worst = next((a.severity for a in firing if a.resource == row.name), None)
    for host in rows:
        mine = [vm for vm in machines if vm.host == host.name]
        if host.status != "unreachable":
            host.vms_total, host.vms_running = len(mine), sum(v.status == "running" for v in mine)
    return empty(
        alerts=AlertPage(timestamp=NOW, alerts=firing, unknown=_unknown(rows)),
        hosts=rows,
        vms=machines,
        cloud=_cloud(dice) if cloud else None,
        charts=_charts(dice) if history else [],
        commands=[_command(n) for n in range(12)],
        title="Fleet of the north",
    )


def _use(total: float, share: float) -> Use:
    return Use(used=total * share, total=total, percent=100 * share)


def _host(n: int, dice: random.Random, *, history: bool) -> ReportHost:
    name = (
        "kvm-with-a-very-long-name-in-the-third-data-centre-of-the-north-07"
        if n == 1
        else f"kvm{n + 1:03}"
    )
    if n % 40 == 2:
        reason = (
            "hypervisor qemu+ssh://root@kvm3.example.com/system: no answer in 30 s. Is the host up?"
        )
        return ReportHost(name=name, status="unreachable", reason=reason, labels={"rack": "r3"})
    cpu, cpus = (
        min(0.97, dice.betavariate(2, 4) + (n % 31 == 1) * 0.6),
        dice.choice([16, 32, 64, 128]),
    )
    return ReportHost(
        name=name,
        status="maintenance" if n % 57 == 5 else "disabled" if n % 71 == 7 else "active",
        labels={"rack": f"r{n % 12}", "zone": "north"},
        cpu=Use(used=None, total=cpus, percent=100 * cpu),
        memory=_use(cpus * 8, min(0.98, dice.betavariate(4, 3))),
        storage=_use(cpus * 120.5, min(0.99, dice.betavariate(3, 4))),
        vcpus=Use(used=round(cpus * cpu * 2), total=cpus, percent=200 * cpu),
        gpus=_use(8, dice.randrange(9) / 8) if n % 3 == 0 else Use(),
        history=_wave(48, 100 * cpu, dice) if history else [],
    )


def _wave(
    points: int, level: float, dice: random.Random, *, gap: bool = True
) -> list[float | None]:
    drawn: list[float | None] = [
        max(0.0, min(100.0, level + 12 * math.sin(n * 7 / points) + dice.gauss(0, 4)))
        for n in range(points)
    ]
    if gap and dice.random() < 0.3:
        drawn[points // 3 : points // 2] = [None] * (points // 2 - points // 3)
    return drawn


def _vm(n: int, host: str, dice: random.Random) -> ReportVm:
    status = dice.choices(
        ["running", "stopped", "paused", "crashed", "suspended"], [88, 9, 1, 0.6, 0.4]
    )[0]
    return ReportVm(
        name=EVIL if n == 0 else f"web-{n:04}",
        host=host,
        status=status,
        cpu_cores=dice.choice([1, 2, 4, 8]),
        memory_gb=dice.choice([0.5, 1, 4, 16, 64]),
        seen_at=NOW - timedelta(hours=3) if host.endswith("003") else None,
    )


def _alerts(hosts: list[ReportHost], vms: list[ReportVm]) -> list[Alert]:
    found = []
    for host in hosts:
        if host.status == "unreachable":
            found.append(_alert("host_unreachable", "critical", host.name, "does not answer", 1, 0))
        elif (host.memory.percent or 0) > 90:
            text = f"memory is in use: {host.memory.percent:.1f} %, above 90 % for 10m"
            found.append(
                _alert("host_memory", "warning", host.name, text, host.memory.percent or 0, 90)
            )
    crashed = [vm for vm in vms if vm.status == "crashed"]
    found += [
        _alert("vm_crashed", "critical", vm.name, f"on {vm.host}: crashed", 1, 0) for vm in crashed
    ]
    return found


def _alert(rule: str, severity: str, name: str, text: str, value: float, limit: float) -> Alert:
    return Alert.model_validate(
        {
            "id": f"{rule}:{name}",
            "rule": rule,
            "severity": severity,
            "resource": name,
            "resource_type": rule.partition("_")[0],
            "host": name,
            "value": value,
            "threshold": limit,
            "since": None if len(name) % 3 else NOW - timedelta(minutes=7 * len(name)),
            "message": f"{name}: {text}",
        }
    )


def _unknown(hosts: list[ReportHost]) -> list[Unknown]:
    lost = [host.name for host in hosts if host.status == "unreachable"]
    reason = "its host does not answer"
    return [
        Unknown(rule=rule, severity="warning", resource_type="host", resources=lost, reason=reason)
        for rule in ("host_cpu", "host_memory")
        if lost
    ]


def _cloud(dice: random.Random) -> ReportCloud:
    pools = []
    for model in MODELS:
        for pool in ("ondemand", "spot", "runpod"):
            hosts = dice.randrange(0, 30)
            used = round(hosts * 8 * min(1.0, dice.betavariate(3, 1.4)))
            known = model != "RTX-PRO6000-SE" or pool != "spot"
            gpus = _use(hosts * 8, used / (hosts * 8)) if hosts and known else Use(used=float(used))
            free = (hosts * 8 - used) // 8
            pools.append(
                ReportPool(gpu_type=model, pool=pool, hosts=hosts, free_hosts=free, gpus=gpus)
            )
    return ReportCloud(name="production", pools=pools)


def _charts(dice: random.Random) -> list[ReportChart]:
    times = [NOW - timedelta(minutes=5 * (288 - n)) for n in range(288)]
    figures: list[tuple[str, str, float | None, float]] = [
        ("CPU", "%", 100, 35),
        ("Memory", "%", 100, 62),
        ("Disk read", "MB/s", None, 70),
        ("Disk written", "MB/s", None, 40),
        ("Network received", "Mbit/s", None, 55),
        ("Network sent", "Mbit/s", None, 20),
    ]
    return [
        ReportChart(
            title=title,
            unit=unit,
            timestamps=times,
            top=top,
            values=_wave(288, level, dice),
        )
        for title, unit, top, level in figures
    ]


def _command(n: int) -> ReportCommand:
    commands = [
        ("done", "virsh -c qemu:///system setmem web-0001 4194304 --live --config", ""),
        ("done", "openstack aggregate add host L40-n3-spot gpu-host-002", ""),
        (
            "failed",
            "virsh -c qemu+ssh://root@kvm3.example.com/system start db-1",
            "no answer in 30 s",
        ),
        (
            "undone",
            "virsh -c qemu:///system vol-create-as default web-2.qcow2 10737418240b --format qcow2",
            "",
        ),
    ]
    status, command, error = commands[n % len(commands)]
    return ReportCommand(
        timestamp=NOW - timedelta(minutes=3 + 41 * n),
        status=status,
        command=command,
        user="ops",
        target="vm/web-0001",
        seconds=None if error else 0.4 * n,
        error=error,
    )
