# SPDX-License-Identifier: Apache-2.0
"""Alerts of a real cloud's GPU pools, and the report of it."""

from __future__ import annotations

import pytest
from rigs.openstack.faults import Faults, Rule

from hostler import Fleet
from hostler.report.service import rendered

CLOUD = ["gpu_*", "aggregate_*", "placement_*", "cloud_*"]


def test_pools_and_aggregates(fleet: Fleet) -> None:
    world = fleet.gpu.observe()
    full = {
        f"{one.name} {pool}"
        for one in fleet.gpu.types(world)
        for pool in ("ondemand", "spot", "runpod")
        if (view := getattr(fleet.gpu.overview(one.name, world), pool))
        and view.hosts
        and view.gpu_summary.gpu_capacity == view.gpu_summary.gpu_used
    }
    busy = {
        view.name
        for view in fleet.gpu.aggregates(world)
        if view.pool not in (None, "contract")
        and view.hosts
        and all(h.has_vms or h.gpu_used or h.status != "active" for h in view.hosts)
    }
    page = fleet.alerts.read(rules=CLOUD)
    told = {(alert.rule, alert.resource) for alert in page.alerts}
    assert {name for rule, name in told if rule == "gpu_pool_full"} == full
    assert {name for rule, name in told if rule == "aggregate_no_free_host"} == busy
    astray = {h.hostname for h in fleet.gpu.hosts(world) if len(h.pools) != 1}
    assert {name for rule, name in told if rule == "gpu_host_astray"} == astray
    assert "cloud_unreachable" not in {rule for rule, _ in told}


@pytest.mark.fault
def test_a_cloud_that_does_not_answer_is_an_alert(proxied_fleet: Fleet, faults: Faults) -> None:
    faults.set(Rule("nova", times=0, action="refuse"))
    page = proxied_fleet.alerts.read(rules=CLOUD)
    (alert,) = page.alerts
    assert (alert.rule, alert.resource) == ("cloud_unreachable", "box-proxied")
    assert {one.rule for one in page.unknown} == {
        *("gpu_pool_full", "gpu_host_astray", "aggregate_no_free_host", "placement_drift"),
    }
    data = proxied_fleet.report.data(timeout=5)
    assert data.cloud
    assert data.cloud.reason
    assert data.cloud.reason in rendered(data).replace("&#39;", "'").replace("&#34;", '"')


def test_the_report_has_its_pools(fleet: Fleet) -> None:
    data = fleet.report.data(timeout=5)
    assert data.cloud
    assert (data.cloud.name, data.cloud.reason) == ("box", None)
    world = fleet.gpu.observe()
    for pool in data.cloud.pools:
        if pool.pool == "contract":
            continue
        view = fleet.gpu.pool(pool.gpu_type, pool.pool, world)  # type: ignore[arg-type]
        assert (pool.hosts, pool.gpus.used, pool.gpus.total) == (
            view.gpu_summary.hosts,
            view.gpu_summary.gpu_used,
            view.gpu_summary.gpu_capacity,
        )
    assert {pool.gpu_type for pool in data.cloud.pools} == {t.name for t in fleet.gpu.types(world)}
    assert "Pools of L40" in rendered(data)
