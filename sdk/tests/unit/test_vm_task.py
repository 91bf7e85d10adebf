# SPDX-License-Identifier: Apache-2.0
"""VmTask: a VM's own fields over defaults, in every spelling of the specifications."""

from __future__ import annotations

from typing import Any

import pytest

from hostler.errors import InvalidInput
from hostler.models.size import GIB, MIB
from hostler.models.vm_task import VmTask


@pytest.mark.parametrize(
    ("defaults", "own", "memory"),
    [
        ({"memory": "1GiB"}, {}, GIB),
        ({"memory": "1GiB"}, {"memory_mb": 512}, 512 * MIB),
        ({"memory_gb": 4}, {"memory": "2GiB"}, 2 * GIB),
        ({"memory_mb": 512}, {"memory_gb": 2}, 2 * GIB),
        ({"memory": "1GiB"}, {"memory": None}, GIB),
    ],
)
def test_own_memory_wins_in_every_spelling(
    defaults: dict[str, Any], own: dict[str, Any], memory: int
) -> None:
    assert VmTask.parse({"name": "a", **own}, defaults).spec.memory == memory


def test_own_disk_size_keeps_the_default_image() -> None:
    defaults = {"disks": [{"image": "base.qcow2", "size": "10GiB"}, {"size": "1GiB"}]}
    disks = VmTask.parse({"name": "a", "disk_gb": 20}, defaults).spec.disks
    assert [(d.image, d.size) for d in disks] == [("base.qcow2", 20 * GIB), (None, GIB)]


def test_own_disks_win_over_a_default_size() -> None:
    disks = VmTask.parse({"name": "a", "disks": [{"size": "2GiB"}]}, {"disk_gb": 8}).spec.disks
    assert [d.size for d in disks] == [2 * GIB]


def test_options_come_from_both() -> None:
    task = VmTask.parse({"name": "a", "timeout": 5}, {"state": "running", "timeout": 60})
    assert (task.options.state, task.options.timeout) == ("running", 5)


def test_two_spellings_in_one_place_are_refused() -> None:
    with pytest.raises(InvalidInput, match="say the same thing"):
        VmTask.parse({"name": "a", "memory_mb": 512, "memory": "1GiB"})
