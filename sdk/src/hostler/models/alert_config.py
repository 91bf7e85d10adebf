# SPDX-License-Identifier: Apache-2.0
"""The ``alerts`` part of fleet.yml: rules, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from hostler.models.alert import ResourceType, Severity
from hostler.models.metrics import METRICS
from hostler.models.problems import sentence

Operator = Literal["above", "below"]

DURATION_PATTERN = r"^\d+[smhd]$"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
MOST_SECONDS = 86400

STATES: dict[ResourceType, dict[str, str]] = {
    "host": {"state.unreachable": ""},
    "vm": {"state.down": "", "state.crashed": ""},
    "gpu_pool": {"gpus.free": "GPUs", "gpus.usage_percent": "%", "hosts.free": "hosts"},
    "aggregate": {"gpus.free": "GPUs", "gpus.usage_percent": "%", "hosts.free": "hosts"},
    "gpu_host": {"gpus.unaccounted": "GPUs", "state.astray": ""},
    "cloud": {"state.unreachable": ""},
}
"""What rules can look at beside metrics, and its unit. States are 1 or 0."""


def parse_duration(value: Any) -> Any:
    """Turn ``90s``, ``10m``, ``2h`` or ``1d`` into seconds; a number is seconds.

    >>> parse_duration("10m")
    600
    """
    if isinstance(value, str) and re.fullmatch(DURATION_PATTERN, value):
        return int(value[:-1]) * _UNITS[value[-1]]
    return value


def format_duration(seconds: int) -> str:
    """Write seconds in the largest unit that keeps them whole.

    >>> format_duration(600)
    '10m'
    """
    unit = next(u for u in ("d", "h", "m", "s") if seconds % _UNITS[u] == 0)
    return f"{seconds // _UNITS[unit]}{unit}" if seconds else "0s"


def units(resource: ResourceType) -> dict[str, str]:
    """Return what rules can look at on a type of resource, and its unit."""
    metrics = METRICS[resource] if resource in ("host", "vm", "pool") else ()
    found = {one.name: "%" if one.unit.startswith("%") else one.unit for one in metrics}
    return {**found, **STATES.get(resource, {})}


def _check_name(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", value):
        raise ValueError(f"{value[:70]!r} can't be a rule's name: write it like host_cpu")
    return value


RuleName = Annotated[str, AfterValidator(_check_name)]
Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    Field(ge=0, le=MOST_SECONDS),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": DURATION_PATTERN},
                {"type": "integer", "minimum": 0, "maximum": MOST_SECONDS},
            ]
        }
    ),
]


class RuleSettings(BaseModel):
    """A rule as it stands in fleet.yml; what is left out is as in Hostler's rule of that name.

    Attributes:
        enabled: whether it is looked at.
        resource: what it is about.
        metric: what is compared: a metric of hosts, VMs or pools, or a state.
        operator: whether it holds ``above`` or ``below`` the threshold.
        threshold: in the metric's unit.
        clear: once it fires, it does so until the value is back at this.
        duration: how long it must hold before it fires (``10m``).
        severity: how bad it is.
        names: globs; only resources of these names.
        hosts: globs; only on these hosts.
        labels: only resources that carry all of these; the value ``*`` stands for any.
        summary: what is said of it, in place of ``RESOURCE: METRIC``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool | None = None
    resource: ResourceType | None = None
    metric: str | None = None
    operator: Operator | None = None
    threshold: float | None = None
    clear: float | None = None
    duration: Duration | None = None
    severity: Severity | None = None
    names: tuple[str, ...] | None = None
    hosts: tuple[str, ...] | None = None
    labels: Mapping[str, str] | None = None
    summary: str | None = None


class AlertRule(BaseModel):
    """A rule in full; fields are those of RuleSettings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    resource: ResourceType
    metric: str
    operator: Operator = "above"
    threshold: float
    clear: float | None = None
    duration: Duration = 0
    severity: Severity = "warning"
    names: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    labels: Mapping[str, str] = {}
    summary: str = ""

    @model_validator(mode="after")
    def _sound(self) -> AlertRule:
        known = units(self.resource)
        if self.metric not in known:
            have = ", ".join(known)
            raise ValueError(f"a {self.resource} has no {self.metric!r}; it has {have}")
        if self.clear is not None and self.holds(self.clear):
            raise ValueError(f"clear must not be {self.operator} the threshold")
        return self

    @property
    def unit(self) -> str:
        """The unit of its values."""
        return units(self.resource)[self.metric]

    def holds(self, value: float) -> bool:
        """Whether a value is beyond the threshold."""
        return value > self.threshold if self.operator == "above" else value < self.threshold

    def stays(self, value: float) -> bool:
        """Whether an alert that fires goes on at a value."""
        limit = self.threshold if self.clear is None else self.clear
        return value > limit if self.operator == "above" else value < limit

    def is_about(self, name: str, host: str | None, labels: Mapping[str, str]) -> bool:
        """Whether it looks at a resource."""
        named = not self.names or any(fnmatchcase(name, glob) for glob in self.names)
        there = not self.hosts or any(fnmatchcase(host or "", glob) for glob in self.hosts)
        carried = all(key in labels and v in ("*", labels[key]) for key, v in self.labels.items())
        return named and there and carried


_PERCENT = {"operator": "above", "threshold": 90, "clear": 85}
_STATE = {"operator": "above", "threshold": 0}
DEFAULTS: dict[str, AlertRule] = {
    name: AlertRule.model_validate({"name": name, **rule})
    for name, rule in {
        "host_unreachable": {
            **_STATE,
            "resource": "host",
            "metric": "state.unreachable",
            "severity": "critical",
            "summary": "does not answer",
        },
        "host_cpu": {
            **_PERCENT,
            "resource": "host",
            "metric": "cpu.usage_percent",
            "duration": "10m",
            "summary": "CPUs are busy",
        },
        "host_memory": {
            **_PERCENT,
            "resource": "host",
            "metric": "memory.usage_percent",
            "duration": "10m",
            "summary": "memory is in use",
        },
        "host_storage": {
            **_PERCENT,
            "resource": "host",
            "metric": "storage.usage_percent",
            "summary": "storage is in use",
        },
        "pool_full": {
            **_PERCENT,
            "resource": "pool",
            "metric": "pool.usage_percent",
            "summary": "storage pool is in use",
        },
        "vm_down": {
            **_STATE,
            "resource": "vm",
            "metric": "state.down",
            "severity": "critical",
            "summary": "should run, and does not",
        },
        "vm_crashed": {
            **_STATE,
            "resource": "vm",
            "metric": "state.crashed",
            "severity": "critical",
            "summary": "crashed",
        },
        "cloud_unreachable": {
            **_STATE,
            "resource": "cloud",
            "metric": "state.unreachable",
            "severity": "critical",
            "summary": "can't be read",
        },
        "gpu_pool_full": {
            "resource": "gpu_pool",
            "metric": "gpus.free",
            "operator": "below",
            "threshold": 1,
            "summary": "no GPU is free",
        },
        "aggregate_no_free_host": {
            "resource": "aggregate",
            "metric": "hosts.free",
            "operator": "below",
            "threshold": 1,
            "severity": "info",
            "summary": "no host is free",
        },
        "placement_drift": {
            **_STATE,
            "resource": "gpu_host",
            "metric": "gpus.unaccounted",
            "summary": "Placement holds GPUs that no server has",
        },
        "gpu_host_astray": {
            **_STATE,
            "resource": "gpu_host",
            "metric": "state.astray",
            "summary": "is in no pool, or in several",
        },
    }.items()
}
"""Hostler's own rules, by name."""


class AlertsConfig(BaseModel):
    """What is an alert.

    Attributes:
        keep_running: a label of VMs: ``true`` says that one should run, ``false`` that it need
            not. VMs without it should run where they start with their host (``autostart``).
        rules: changes of Hostler's own rules, and rules of your own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep_running: str = "keep_running"
    rules: Mapping[RuleName, RuleSettings] = {}

    @model_validator(mode="after")
    def _sound(self) -> AlertsConfig:
        for name, settings in self.rules.items():
            _rule(name, settings)
        return self

    def effective(self) -> list[AlertRule]:
        """Return the rules that are looked at: Hostler's own, then yours."""
        off = {name for name, settings in self.rules.items() if settings.enabled is False}
        names = [name for name in {**DEFAULTS, **self.rules} if name not in off]
        return [_rule(name, self.rules.get(name, RuleSettings())) for name in names]


def _rule(name: str, settings: RuleSettings) -> AlertRule:
    """Return a rule in full.

    Raises:
        ValueError: says what is missing, or makes no sense.
    """
    given = settings.model_dump(exclude_none=True, exclude={"enabled"})
    base = DEFAULTS[name].model_dump() if name in DEFAULTS else {"name": name}
    if "threshold" in given and "clear" not in given:
        base.pop("clear", None)  # it went with the other threshold
    whole = {**base, **given}
    missing = [field for field in ("resource", "metric", "threshold") if field not in whole]
    if missing:
        raise ValueError(f"rule {name!r} needs {', '.join(missing)}")
    try:
        return AlertRule.model_validate(whole)
    except ValidationError as error:
        raise ValueError(f"rule {name!r}: {sentence(error)}") from None
