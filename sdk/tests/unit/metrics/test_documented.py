# SPDX-License-Identifier: Apache-2.0
"""docs/metrics.md tells of every figure."""

from __future__ import annotations

from pathlib import Path

from hostler.models.metrics import METRICS

PAGE = Path(__file__).parents[4] / "docs" / "metrics.md"


def test_every_metric_is_documented() -> None:
    text = PAGE.read_text()
    vms, hosts = text.split("### Of VMs")[1].split("### Of hosts")
    for kind, part in (("vm", vms), ("host", hosts), ("pool", hosts)):
        missing = [m.name for m in METRICS[kind] if f"`{m.name}`" not in part]  # type: ignore[index]
        assert not missing, kind
