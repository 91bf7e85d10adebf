# SPDX-License-Identifier: Apache-2.0
"""fleet.snapshots: snapshots of VMs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hostler.errors import HostlerError, InvalidInput
from hostler.models.problems import checked
from hostler.models.vm_task import SnapshotTask, VmResult
from hostler.plan.plan import Plan
from hostler.vms.reading import read_snapshots
from hostler.vms.results import failed, result_of
from hostler.vms.snapshot_planner import plan_snapshot

if TYPE_CHECKING:
    from hostler.backends.libvirt import Hypervisor
    from hostler.fleet import Fleet


class Snapshots:
    """Snapshots of VMs."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def run(
        self,
        tasks: Iterable[SnapshotTask | Mapping[str, Any]],
        *,
        uri: str | None = None,
        host: str | None = None,
        check: bool = False,
        parallel: int | None = None,
    ) -> Sequence[VmResult]:
        """Bring snapshots to what is wanted; a result for each, errors inside.

        VMs are worked on side by side, the snapshots of one VM in order. ``before`` and ``after``
        of a result hold the VM's snapshots by name.
        """
        hypervisor = self._fleet.hypervisor(uri, host)
        parsed = [_parsed(task) for task in tasks]
        by_vm: dict[str, list[int]] = {}
        for number, task in enumerate(parsed):
            key = task.vm if isinstance(task, SnapshotTask) else f"/{number}"
            by_vm.setdefault(key, []).append(number)
        results: dict[int, VmResult] = {}

        def one(numbers: list[int]) -> None:
            for number in numbers:
                results[number] = self._one(parsed[number], hypervisor, check=check)

        hypervisor.pipeline(one, by_vm.values())
        return [results[number] for number in range(len(parsed))]

    def plan(
        self,
        task: SnapshotTask | Mapping[str, Any],
        *,
        uri: str | None = None,
        host: str | None = None,
    ) -> Plan:
        """Plan one snapshot without touching anything.

        Raises:
            HostlerError: it can't be done.
        """
        parsed = _parsed(task)
        if isinstance(parsed, HostlerError):
            raise parsed
        return self._plan(parsed, self._fleet.hypervisor(uri, host)).bind(self._fleet.runner)

    def _plan(self, task: SnapshotTask, hypervisor: Hypervisor) -> Plan:
        domain = hypervisor.domains.read([task.vm]).get(task.vm)
        have = read_snapshots(hypervisor, task.vm) if domain else []
        return plan_snapshot(task, hypervisor.uri, domain, have, self._fleet.config.policy)

    def _one(
        self, task: SnapshotTask | HostlerError, hypervisor: Hypervisor, *, check: bool
    ) -> VmResult:
        name = task.vm if isinstance(task, SnapshotTask) else ""
        try:
            if isinstance(task, HostlerError):
                raise task
            plan = self._plan(task, hypervisor)
            if not check:
                self._fleet.runner.run(plan)
        except HostlerError as error:
            return failed(name, error)
        return result_of(name, plan, {})


def _parsed(task: SnapshotTask | Mapping[str, Any]) -> SnapshotTask | HostlerError:
    if isinstance(task, SnapshotTask):
        return task
    try:
        given = {k: v for k, v in task.items() if v is not None}
        return checked(SnapshotTask, given, on=f"snapshot of VM {task.get('vm')!r}")
    except InvalidInput as error:
        return error
