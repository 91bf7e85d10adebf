# SPDX-License-Identifier: Apache-2.0
"""fleet.snapshots: snapshots of VMs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from hostler.errors import Conflict, HostlerError, InvalidInput
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
        of a result hold the VM's snapshots by name. Where no hypervisor is named, VMs are looked
        for on all hosts of the pool.
        """
        parsed = [_parsed(task) for task in tasks]
        by_vm: dict[str, list[int]] = {}
        for number, task in enumerate(parsed):
            key = task.vm if isinstance(task, SnapshotTask) else f"/{number}"
            by_vm.setdefault(key, []).append(number)
        results: dict[int, VmResult] = {}

        def one(numbers: list[int]) -> None:
            for number in numbers:
                request = SnapshotRequest(self._fleet, parsed[number], uri, host)
                results[number] = request.preview() if check else request.apply()

        with ThreadPoolExecutor(max(1, parallel or self._fleet.config.parallel)) as pool:
            list(pool.map(one, by_vm.values()))
        return [results[number] for number in range(len(parsed))]

    def prepare(
        self,
        task: SnapshotTask | Mapping[str, Any],
        *,
        uri: str | None = None,
        host: str | None = None,
    ) -> SnapshotRequest:
        """Plan one snapshot that is to be shown before exactly that is applied."""
        return SnapshotRequest(self._fleet, _parsed(task), uri, host)

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
        plan = self.prepare(task, uri=uri, host=host).plan
        if isinstance(plan, HostlerError):
            raise plan
        return plan.bind(self._fleet.runner)


class SnapshotRequest:
    """A snapshot as it is wanted, planned; nothing has happened yet.

    Attributes:
        plan: the plan, or what is wrong with the task.
    """

    def __init__(
        self, fleet: Fleet, task: SnapshotTask | HostlerError, uri: str | None, host: str | None
    ) -> None:
        self._fleet, self._task, self._where = fleet, task, (uri, host)
        self._name = task.vm if isinstance(task, SnapshotTask) else ""
        self.plan = self._planned()

    def preview(self) -> VmResult:
        """Tell what would be done."""
        if isinstance(self.plan, HostlerError):
            return failed(self._name, self.plan)
        return result_of(self._name, self.plan, {})

    def confirm(self) -> None:
        """Look again whether the plan still is what would be planned now.

        Raises:
            Conflict: something has changed since then, so that it is not.
        """
        if _seen(self.plan) != _seen(self._planned()):
            raise Conflict(
                "it is no longer as it was when this was planned; nothing was touched",
                on=f"VM {self._name!r}",
                hint="Run it again: it plans from what is there now.",
            )

    def apply(self) -> VmResult:
        """Do what was planned."""
        if isinstance(self.plan, HostlerError):
            return failed(self._name, self.plan)
        try:
            self._fleet.runner.run(self.plan)
        except HostlerError as error:
            return failed(self._name, error)
        return result_of(self._name, self.plan, {})

    def _planned(self) -> Plan | HostlerError:
        task = self._task
        if isinstance(task, HostlerError):
            return task
        try:
            hypervisor = self._home(task.vm)
            domain = hypervisor.domains.read([task.vm]).get(task.vm)
            have = read_snapshots(hypervisor, task.vm) if domain else []
            return plan_snapshot(task, hypervisor.uri, domain, have, self._fleet.config.policy)
        except HostlerError as error:
            return error

    def _home(self, vm: str) -> Hypervisor:
        """Return the hypervisor of a VM."""
        uri, host = self._where
        if self._fleet.places(uri, host):
            uri, host = self._fleet.vms.get(vm).uri, None
        return self._fleet.hypervisor(uri, host)


def _seen(plan: Plan | HostlerError) -> tuple[object, ...]:
    """Return what two plans must have in common to do the same to the same."""
    return (plan.before, plan.steps) if isinstance(plan, Plan) else ()


def _parsed(task: SnapshotTask | Mapping[str, Any]) -> SnapshotTask | HostlerError:
    if isinstance(task, SnapshotTask):
        return task
    try:
        given = {k: v for k, v in task.items() if v is not None}
        return checked(SnapshotTask, given, on=f"snapshot of VM {task.get('vm')!r}")
    except InvalidInput as error:
        return error
