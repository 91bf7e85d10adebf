# SPDX-License-Identifier: Apache-2.0
"""Home: the hypervisor that a VM is on, or will be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hostler.models.vm_task import VmTask
from hostler.plan.plan import Plan


def _as_it_is(plan: Plan) -> Plan:
    return plan


@dataclass(frozen=True)
class Home:
    """Where a task is carried out.

    Attributes:
        uri: the hypervisor's libvirt URI.
        task: the task, with what was found for it (GPUs).
        keep: makes a plan reserve the room that was found.
        host_id: the hypervisor's id in the pool; None where it was named by its URI.
    """

    uri: str
    task: VmTask
    keep: Callable[[Plan], Plan] = _as_it_is
    host_id: str | None = None
