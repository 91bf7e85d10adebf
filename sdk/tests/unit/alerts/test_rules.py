# SPDX-License-Identifier: Apache-2.0
"""Rules as they stand in fleet.yml."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hostler.models.alert_config import DEFAULTS, AlertsConfig, format_duration, parse_duration


def config(**rules: Any) -> AlertsConfig:
    return AlertsConfig.model_validate({"rules": rules})


def test_hostlers_own_rules_come_without_a_word() -> None:
    assert AlertsConfig().effective() == list(DEFAULTS.values())
    assert {rule.resource for rule in DEFAULTS.values()} == {
        *("host", "vm", "pool", "gpu_pool", "aggregate", "gpu_host", "cloud"),
    }


def test_a_rule_is_changed_in_part() -> None:
    found = {r.name: r for r in config(host_cpu={"threshold": 97, "duration": "1h"}).effective()}
    changed, before = found["host_cpu"], DEFAULTS["host_cpu"]
    assert (changed.threshold, changed.duration, changed.clear) == (97, 3600, None)
    assert (changed.metric, changed.severity) == (before.metric, before.severity)
    assert len(found) == len(DEFAULTS)


def test_a_rule_is_turned_off_and_one_added() -> None:
    own = {"resource": "vm", "metric": "memory.usage_percent", "threshold": 95, "names": ["db-*"]}
    names = [rule.name for rule in config(vm_down={"enabled": False}, db_memory=own).effective()]
    assert "vm_down" not in names
    assert names[-1] == "db_memory"


BAD: dict[str, dict[str, Any]] = {
    "rule 'mine' needs resource, metric, threshold": {"mine": {}},
    "a vm has no 'cpu.usage'": {"mine": {"resource": "vm", "metric": "cpu.usage", "threshold": 1}},
    "can't be a rule's name": {"Host CPU": {"threshold": 1}},
    "clear must not be above the threshold": {"host_cpu": {"clear": 95}},
    "less than or equal to 86400": {"host_cpu": {"duration": "2d"}},
    "valid integer": {"host_cpu": {"duration": "10 minutes"}},
    "'info', 'warning' or 'critical'": {"host_cpu": {"severity": "bad"}},
    "Extra inputs": {"host_cpu": {"treshold": 95}},
}


@pytest.mark.parametrize("words", BAD)
def test_what_makes_no_sense_is_refused(words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        config(**BAD[words])


def test_what_is_turned_off_must_make_sense_too() -> None:
    with pytest.raises(ValidationError, match="needs resource"):
        config(mine={"enabled": False})


@pytest.mark.parametrize(("text", "seconds"), [("0s", 0), ("90s", 90), ("10m", 600), ("1d", 86400)])
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds
    assert format_duration(seconds) == text
