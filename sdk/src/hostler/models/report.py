# SPDX-License-Identifier: Apache-2.0
"""ReportData: all that a report shows. What is not known is None, and shown as such."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from hostler.models.alert import AlertPage, Severity
from hostler.models.vm_view import View


class Use(View):
    """How much of something is in use; ``percent`` is of ``total``."""

    used: float | None = None
    total: float | None = None
    percent: float | None = None


class ReportHost(View):
    """A hypervisor.

    Attributes:
        name: its id, or URI.
        status: active, disabled, maintenance or unreachable.
        reason: why it is unreachable.
        worst: the worst severity of the alerts on it.
        cpu: percent of its CPUs' time. memory, storage: GiB in use by all that is there.
        vcpus: virtual CPUs of VMs that are not off, and its CPUs.
        history: its CPUs' percent of late, for a sparkline.
    """

    name: str
    status: str
    reason: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    worst: Severity | None = None
    cpu: Use = Use()
    memory: Use = Use()
    storage: Use = Use()
    vcpus: Use = Use()
    gpus: Use = Use()
    vms_running: int | None = None
    vms_total: int | None = None
    history: list[float | None] = Field(default_factory=list)


class ReportVm(View):
    """A VM; ``seen_at``: when it was last seen, where its host does not answer now."""

    name: str
    host: str
    status: str
    worst: Severity | None = None
    cpu_cores: int
    memory_gb: float
    seen_at: datetime | None = None


class ReportPool(View):
    """A pool of GPU hosts; ``free_hosts`` are idle and take servers."""

    gpu_type: str
    pool: str
    hosts: int
    free_hosts: int
    gpus: Use


class ReportCloud(View):
    """An OpenStack; ``reason`` says why it can't be read."""

    name: str
    reason: str | None = None
    pools: list[ReportPool] = Field(default_factory=list)


class ReportChart(View):
    """History of one figure; a gap is None.

    Attributes:
        top: the most that a value can be; None: the most that there is.
    """

    title: str
    unit: str
    timestamps: list[datetime]
    values: list[float | None]
    top: float | None = None


class ReportCommand(View):
    """A command that was carried out; secrets are masked in it."""

    timestamp: datetime
    status: str
    command: str
    user: str
    target: str
    seconds: float | None = None
    error: str = ""


class ReportData(View):
    """What a report shows.

    Attributes:
        hours: how far back its charts go.
        rules: how many rules the alerts were looked for by.
        cloud: None where none is configured.
        charts: empty where nothing was collected.
        notes: what could not be read.
    """

    title: str
    generated_at: datetime
    version: str
    hours: int
    rules: int = 0
    alerts: AlertPage
    hosts: list[ReportHost] = Field(default_factory=list)
    vms: list[ReportVm] = Field(default_factory=list)
    cloud: ReportCloud | None = None
    charts: list[ReportChart] = Field(default_factory=list)
    commands: list[ReportCommand] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
