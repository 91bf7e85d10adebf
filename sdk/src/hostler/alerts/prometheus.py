# SPDX-License-Identifier: Apache-2.0
"""Writes rules for Prometheus, over what ``hostler metrics export`` serves. Pure.

Source: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from string import Template
from typing import Any

import yaml

from hostler.metrics.promql import EXPRESSIONS, LABELS
from hostler.models.alert_config import AlertRule, format_duration

_OPERATORS = {"above": ">", "below": "<"}
_STATES = {
    ("host", "state.unreachable"): "hostler_host_up{$which} == 0",
    ("vm", "state.crashed"): "hostler_vm_state{$which} == 6",
}


def rule_file(rules: Sequence[AlertRule], *, window: int) -> str:
    """Return a file of alerting rules; a comment names the rules that can't be in it, and why.

    Args:
        rules: the rules.
        window: seconds that rates are measured over.
    """
    written, left_out = [], []
    for rule in rules:
        if problem := why_not(rule):
            left_out.append(f"# {rule.name} is not in it: {problem}.\n")
        else:
            written.append(_rule(rule, window))
    data = {"groups": [{"name": "hostler", "rules": written}]}
    head = "# Alerts of Hostler, over what 'hostler metrics export' serves.\n"
    return head + "".join(left_out) + yaml.safe_dump(data, sort_keys=False, width=1000)


def why_not(rule: AlertRule) -> str:
    """Say why Prometheus can't look at a rule; empty where it can."""
    if (rule.resource, rule.metric) not in _STATES and not _measured(rule):
        return f"{rule.metric} ({rule.resource}) is not exported"
    return "labels are not exported" if rule.labels else ""


def alert_name(rule: AlertRule) -> str:
    """Return a rule's name as Prometheus' people write them: HostlerHostCpu."""
    return "Hostler" + "".join(part.capitalize() for part in rule.name.split("_"))


def _measured(rule: AlertRule) -> bool:
    return rule.resource in ("host", "vm", "pool") and not rule.metric.startswith("state.")


def _rule(rule: AlertRule, window: int) -> dict[str, Any]:
    name = f"{{{{ $labels.{rule.resource} }}}}"
    on = "" if rule.resource == "host" else " on {{ $labels.host }}"
    summary = f"{name}{on}: {_text(rule.summary or rule.metric)}"
    limit = f"{rule.operator} {rule.threshold:g} {rule.unit}".rstrip()
    value = f'{{{{ $value | printf "%.1f" }}}} {rule.unit}'.rstrip()
    state = rule.metric.startswith("state.")
    return {
        "alert": alert_name(rule),
        "expr": _expression(rule, window),
        **({"for": format_duration(rule.duration)} if rule.duration else {}),
        "labels": {"severity": rule.severity, "rule": rule.name},
        "annotations": {
            "summary": summary,
            **({} if state else {"description": f"It is {value}; the rule is {limit}."}),
        },
    }


def _expression(rule: AlertRule, window: int) -> str:
    which = ", ".join(_selectors(rule))
    if (rule.resource, rule.metric) in _STATES:
        return Template(_STATES[rule.resource, rule.metric]).substitute(which=which)
    assert rule.resource in ("host", "vm", "pool")  # noqa: S101 - see why_not
    template = Template(EXPRESSIONS[rule.resource][rule.metric])
    value = template.substitute(which=which, window=f"{window}s")
    sign = _OPERATORS[rule.operator]
    beyond = f"({value}) {sign} {rule.threshold:g}"
    if rule.clear is None:
        return beyond
    labels = ", ".join(LABELS[rule.resource])
    firing = f'ALERTS{{alertname="{alert_name(rule)}", alertstate="firing"}}'
    return f"{beyond} or (({value}) {sign} {rule.clear:g} and on ({labels}) {firing})"


def _selectors(rule: AlertRule) -> Iterable[str]:
    if rule.names:
        yield f"{rule.resource}=~{_matching(rule.names)}"
    if rule.hosts or not rule.names:
        yield f"host=~{_matching(rule.hosts)}" if rule.hosts else 'host!=""'


def _matching(globs: Sequence[str]) -> str:
    """Return a PromQL string of a regular expression for globs."""
    return json.dumps("|".join(map(_regex, globs)), ensure_ascii=False)


def _regex(glob: str) -> str:
    """Turn a glob into a regular expression of RE2, whose end Python writes otherwise."""
    parts = re.split(r"(\*|\?|\[!?\]?[^\]]*\])", glob)
    known = {"*": ".*", "?": "."}
    return "".join(
        known.get(part) or (part.replace("[!", "[^", 1) if number % 2 else re.escape(part))
        for number, part in enumerate(parts)
    )


def _text(text: str) -> str:
    """Keep braces from being read as a template's."""
    return text.replace("{{", '{{ "{{" }}')
