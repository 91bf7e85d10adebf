# SPDX-License-Identifier: Apache-2.0
"""fleet.vms: find, plan, run, batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hostler.errors import HostlerError, InvalidInput, NotFound
from hostler.models.problems import checked
from hostler.models.vm_task import (
    BatchResult,
    Operation,
    VmPage,
    VmQuery,
    VmResult,
    VmTask,
    literal,
)
from hostler.models.vm_view import Vm
from hostler.plan.outcome import Progress
from hostler.plan.plan import Plan
from hostler.plan.results import Became, apply_all
from hostler.vms.observe import observe
from hostler.vms.planner import plan_vm
from hostler.vms.reading import read_vms
from hostler.vms.results import batch_of, failed, missing, result_of
from hostler.vms.wait import wait_for

if TYPE_CHECKING:
    from hostler.backends.libvirt import Hypervisor
    from hostler.fleet import Fleet

OnProgress = Callable[[Progress], None] | None
Asked = VmTask | Mapping[str, Any]
Parsed = tuple[str, VmTask | HostlerError]

_STATES: dict[Operation, str] = {
    "start": "running",
    "stop": "stopped",
    "restart": "restarted",
    "reset": "reset",
    "pause": "paused",
    "resume": "running",
    "delete": "absent",
}


class Vms:
    """VMs on libvirt hypervisors."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def find(
        self, query: VmQuery | None = None, *, uri: str | None = None, **filters: Any
    ) -> VmPage:
        """Read one page of the VMs that a query finds, over a read-only connection.

        Args:
            query: which VMs; or its fields as ``filters``.
            uri: the hypervisor; the fleet's own where left out.
            filters: fields of VmQuery.

        Raises:
            InvalidInput: a filter makes no sense.
            Unreachable: the hypervisor does not answer.
        """
        query = query or checked(VmQuery, filters, on="VM query")
        vms = read_vms(self._fleet.hypervisor(uri), query)
        limit = query.limit or max(1, len(vms))
        start = (query.page - 1) * limit
        return VmPage(
            vms=vms[start : start + limit],
            total=len(vms),
            page=query.page,
            limit=query.limit,
            pages=max(1, -(-len(vms) // limit)),
        )

    def list(
        self, query: VmQuery | None = None, *, uri: str | None = None, **filters: Any
    ) -> Sequence[Vm]:
        """Read the VMs that a query finds; see ``find``."""
        return self.find(query, uri=uri, **filters).vms

    def get(self, name: str, *, uri: str | None = None, **filters: Any) -> Vm:
        """Read one VM by its exact name.

        Raises:
            NotFound: there is no VM of that name.
        """
        found = self.list(uri=uri, names=(literal(name),), **filters)
        if not found:
            on = f"VM {name!r} on {uri or self._fleet.uri}"
            raise NotFound("there is no such VM", on=on, hint="See 'hostler vm list'.")
        return found[0]

    def plan(self, tasks: Iterable[Asked], *, uri: str | None = None) -> Sequence[Plan]:
        """Plan tasks without touching anything.

        Raises:
            HostlerError: the first error of any task.
        """
        parsed = [_task(task) for task in tasks]
        _no_twins(parsed)
        plans = self._plans(parsed, self._fleet.hypervisor(uri))
        for plan in plans:
            if isinstance(plan, HostlerError):
                raise plan
        return [plan.bind(self._fleet.runner) for plan in plans if isinstance(plan, Plan)]

    def run(
        self,
        tasks: Iterable[Asked],
        *,
        uri: str | None = None,
        check: bool = False,
        parallel: int | None = None,
        max_failures: int | None = None,
        read_back: bool = True,
        on_progress: OnProgress = None,
    ) -> Sequence[VmResult]:
        """Bring VMs to what is wanted, side by side; a result for each, errors inside.

        Args:
            tasks: VmTasks, or mappings of VmSpec's and VmOptions' fields.
            uri: the hypervisor; the fleet's own where left out.
            check: touch nothing: the results say what would be.
            parallel: how many at once; the fleet's ``parallel`` where left out.
            max_failures: start no more VMs once more than so many have failed.
            read_back: read each VM afterwards into its result.
            on_progress: is told of every step.

        Raises:
            InvalidInput: two tasks are for the same VM.
            Unreachable: the hypervisor does not answer.
        """
        parsed = [_parsed(task) for task in tasks]
        good = [task for _, task in parsed if isinstance(task, VmTask)]
        _no_twins(good)
        hypervisor = self._fleet.hypervisor(uri)
        planned = iter(self._plans(good, hypervisor))
        plans = [
            (name, task if isinstance(task, HostlerError) else next(planned))
            for name, task in parsed
        ]
        outcomes: dict[str, Became] = {}
        if not check:
            outcomes = apply_all(
                self._fleet.runner,
                [plan for _, plan in plans if isinstance(plan, Plan)],
                parallel=parallel or self._fleet.config.parallel,
                max_failures=max_failures,
                on_progress=on_progress,
            )
        results = [
            result_of(name, plan, outcomes) if isinstance(plan, Plan) else failed(name, plan)
            for name, plan in plans
        ]
        if not check:
            self._wait([task for _, task in parsed], results, hypervisor)
        if read_back:
            self._read_back(results, hypervisor)
        return results

    def batch(  # noqa: PLR0913 - as run
        self,
        operation: Operation,
        query: VmQuery,
        *,
        uri: str | None = None,
        options: Mapping[str, Any] | None = None,
        snapshot: str | None = None,
        check: bool = False,
        parallel: int | None = None,
        max_failures: int | None = None,
        on_progress: OnProgress = None,
    ) -> BatchResult:
        """Do one operation to every VM that the query finds; a result for each.

        Args:
            operation: what to do.
            query: to which VMs; a name without a glob that is not there is a failed result, except
                for ``delete``.
            uri: the hypervisor; the fleet's own where left out.
            options: fields of VmOptions (``force``, ``timeout``, ``delete_disks`` ...).
            snapshot: the snapshot's name, for operation ``snapshot``.
            check: touch nothing: the results say what would be.
            parallel: how many at once.
            max_failures: start no more VMs once more than so many have failed.
            on_progress: is told of every step.

        Raises:
            InvalidInput: operation ``snapshot`` without a name.
        """
        if operation == "snapshot" and not snapshot:
            raise InvalidInput("operation snapshot needs a name for the snapshot")
        found = {vm.name: vm for vm in self.list(query.model_copy(update={"limit": 0}), uri=uri)}
        absent = [n for n in query.names if literal(n) == n and n not in found]
        if operation == "delete":
            absent = []  # one that is gone is as wanted
        if operation == "snapshot":
            wanted = [_snapshot(vm, str(snapshot)) for vm in found.values()]
            done = self._fleet.snapshots.run(wanted, uri=uri, check=check, parallel=parallel)
        else:
            common = {**(options or {}), "state": _STATES[operation]}
            done = self.run(
                [{"name": name, **common} for name in found],
                uri=uri,
                check=check,
                parallel=parallel,
                max_failures=max_failures,
                read_back=False,
                on_progress=on_progress,
            )
        nowhere = [missing(name, uri or self._fleet.uri) for name in absent]
        return batch_of(operation, [*done, *nowhere])

    def _plans(
        self, tasks: Sequence[VmTask], hypervisor: Hypervisor
    ) -> Sequence[Plan | HostlerError]:
        """Observe once, plan each; an error belongs to its own task."""
        if not tasks:
            return []
        plans: list[Plan | HostlerError] = []
        views = observe(hypervisor, tasks, self._fleet.kvm_works)
        for task, seen in zip(tasks, views, strict=True):
            try:
                if isinstance(seen, HostlerError):
                    raise seen
                plans.append(plan_vm(task, seen, self._fleet.config.policy))
            except HostlerError as error:
                plans.append(error)
        return plans

    def _wait(
        self,
        tasks: Sequence[VmTask | HostlerError],
        results: Sequence[VmResult],
        hypervisor: Hypervisor,
    ) -> None:
        """Wait side by side for what tasks want to wait for; what does not come is an error."""
        due = [
            (task, result)
            for task, result in zip(tasks, results, strict=True)
            if isinstance(task, VmTask) and task.options.wait_for and result.error is None
        ]

        def one(pair: tuple[VmTask, VmResult]) -> None:
            task, result = pair
            try:
                result.vm = wait_for(hypervisor, task.spec.new_name or result.name, task.options)
            except HostlerError as error:
                result.error, result.error_code = str(error), error.code

        hypervisor.pipeline(one, due)

    def _read_back(self, results: Sequence[VmResult], hypervisor: Hypervisor) -> None:
        """Read the VMs as they are now, all in one go."""
        due = [r for r in results if r.vm is None and r.error is None]
        names = {r.name for r in due} | {str(r.after["name"]) for r in due if "name" in r.after}
        if not names:
            return
        query = VmQuery(names=tuple(literal(name) for name in names))
        found = {vm.name: vm for vm in read_vms(hypervisor, query)}
        for result in due:
            result.vm = found.get(str(result.after.get("name"))) or found.get(result.name)


def _task(asked: Asked) -> VmTask:
    return asked if isinstance(asked, VmTask) else VmTask.parse(asked)


def _parsed(asked: Asked) -> Parsed:
    """Check one task; what is wrong with it is its own result."""
    try:
        task = _task(asked)
    except InvalidInput as error:
        return (str(asked.get("name") or "") if isinstance(asked, Mapping) else ""), error
    return task.spec.name, task


def _no_twins(tasks: Sequence[VmTask]) -> None:
    names: set[str] = set()
    for task in tasks:
        for name in {task.spec.name, task.spec.new_name or task.spec.name}:
            if name in names:
                raise InvalidInput(f"VM {name!r} is named twice", hint="Give each VM one entry.")
            names.add(name)


def _snapshot(vm: Vm, name: str) -> dict[str, Any]:
    """Want a snapshot; an internal one of a running VM holds its memory too."""
    return {"vm": vm.name, "name": name, "memory": vm.status in ("running", "paused")}
