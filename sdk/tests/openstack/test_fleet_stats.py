# SPDX-License-Identifier: Apache-2.0
"""Clouds in the sums of a fleet."""

from __future__ import annotations

from hostler import Fleet


def test_the_gpus_of_the_cloud(fleet: Fleet) -> None:
    stats = fleet.hosts.stats()
    (cloud,) = stats.clouds
    assert (cloud.name, cloud.status, cloud.reason) == ("box", "active", None)
    world = fleet.gpu.observe()
    assert sorted(cloud.gpu_types) == sorted(one.name for one in fleet.gpu.types(world))
    for name, summary in cloud.gpu_types.items():
        assert summary == fleet.gpu.overview(name, world).gpu_overview
    assert stats.total_hosts == 0
