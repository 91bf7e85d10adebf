# SPDX-License-Identifier: Apache-2.0
"""What may be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from hostler.errors import InvalidInput
from hostler.metrics.promql import EXPRESSIONS
from hostler.models.metrics import METRICS, MOST_HOURS, MetricsQuery, chosen
from hostler.models.metrics_config import PrometheusConfig
from hostler.models.problems import checked


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"interval": "2m"}, "interval: Input should be '1m', '5m', '1h' or '1d'"),
        ({"hours": 0}, "hours: Input should be greater than or equal to 1"),
        ({"hours": MOST_HOURS + 1}, "hours: Input should be less than or equal to"),
        ({"hours": 8000, "interval": "1m"}, "are 480000 points, more than 10000: choose a longer"),
        ({"aggregation": "median"}, "aggregation: Input should be 'avg', 'min', 'max' or 'last'"),
        ({"window": 0}, "window: Input should be greater than"),
        ({"names": 5}, "names: Input should be a valid tuple"),
        ({"names": [5]}, r"names\[0\]: Input should be a valid string"),
        ({"vm": "x"}, "vm: there is no such option"),
    ],
)
def test_refused(given: dict[str, Any], error: str) -> None:
    with pytest.raises(InvalidInput, match=error):
        checked(MetricsQuery, given)


@pytest.mark.parametrize(
    ("hours", "interval", "step"),
    [
        (None, None, "5m"),
        (1, None, "1m"),
        (24, None, "5m"),
        (168, None, "1h"),
        (24, "1h", "1h"),
        (None, "1m", "1m"),
    ],
)
def test_step(hours: int | None, interval: Any, step: str) -> None:
    assert MetricsQuery(hours=hours, interval=interval).step == step


def test_words_with_commas() -> None:
    query = checked(MetricsQuery, {"names": "a, b", "metrics": ["cpu,memory", "disk.read_iops"]})
    assert query.names == ("a", "b")
    assert query.metrics == ("cpu", "memory", "disk.read_iops")


def test_groups_and_names() -> None:
    names = [metric.name for metric in chosen("vm", ["disk.read_iops", "network"])]
    assert names[0] == "disk.read_iops"
    assert {name.partition(".")[0] for name in names[1:]} == {"network"}
    assert len(chosen("vm", [])) == len(METRICS["vm"])
    with pytest.raises(ValueError, match=r"no metric 'gpu' of a host \(groups: cpu, memory, disk,"):
        chosen("host", ["gpu"])


def test_every_metric_has_a_name_of_its_own_and_an_expression() -> None:
    for kind, metrics in METRICS.items():
        names = [metric.name for metric in metrics]
        assert len(set(names)) == len(names)
        assert set(EXPRESSIONS[kind]) == set(names)


def test_prometheus_of_the_environment() -> None:
    config = PrometheusConfig(url="https://p.example.com/base/")
    assert config.url == "https://p.example.com/base"
    assert config.resolved({}).url == config.url
    assert config.resolved({"PROMETHEUS_URL": "http://other:9090"}).url == "http://other:9090"
    with pytest.raises(InvalidInput, match="PROMETHEUS_URL: url: must be an address"):
        config.resolved({"PROMETHEUS_URL": "other:9090"})
    with pytest.raises(ValueError, match="must have no user"):
        PrometheusConfig(url="http://me:secret@p:9090")
