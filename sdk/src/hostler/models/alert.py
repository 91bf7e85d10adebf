# SPDX-License-Identifier: Apache-2.0
"""Alerts: what is wrong now, since when, and what can't be said."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import Field

from hostler.models.vm_view import View

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
"""The worst first."""

ResourceType = Literal["host", "vm", "pool", "gpu_pool", "aggregate", "gpu_host", "cloud"]


class Alert(View):
    """A rule that holds for a resource.

    Attributes:
        id: the same as long as it is the same alert.
        rule: the rule's name.
        state: ``pending``: it holds, and not yet for the rule's duration.
        resource: the name of what it is about, of the type ``resource_type``.
        host: the host that it is on, by its id or URI.
        value, threshold: in ``unit``.
        since: when it was first seen to hold, of the time for which there are samples without a
            gap; None where there are none from before.
        message: a sentence for people.
    """

    id: str
    rule: str
    severity: Severity
    state: Literal["firing", "pending"] = "firing"
    resource: str
    resource_type: ResourceType
    host: str | None = None
    value: float
    threshold: float
    unit: str = ""
    since: datetime | None = None
    message: str
    labels: dict[str, str] = Field(default_factory=dict)


class Unknown(View):
    """Resources of which can't be said whether a rule holds, and why."""

    rule: str
    severity: Severity
    resource_type: ResourceType
    host: str | None = None
    resources: list[str] = Field(default_factory=list)
    reason: str


class AlertPage(View):
    """All that the rules say now; the worst first.

    Attributes:
        alerts: those that fire.
        pending: those that hold, and not yet for long enough.
        unknown: what can't be said.
    """

    timestamp: datetime
    alerts: list[Alert] = Field(default_factory=list)
    pending: list[Alert] = Field(default_factory=list)
    unknown: list[Unknown] = Field(default_factory=list)

    @property
    def counts(self) -> dict[Severity, int]:
        """How many fire of each severity, the worst first."""
        return {
            severity: sum(one.severity == severity for one in self.alerts)
            for severity in SEVERITIES
        }


def worst(alerts: Iterable[Alert]) -> Severity | None:
    """Return the worst severity that fires; None where nothing does."""
    found = {alert.severity for alert in alerts if alert.state == "firing"}
    return next((severity for severity in SEVERITIES if severity in found), None)
