# SPDX-License-Identifier: Apache-2.0
"""Request: tasks that were looked at and planned together; shown first, or applied at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hostler.errors import Conflict, HostlerError, InvalidInput
from hostler.models.names import some
from hostler.models.vm_task import VmQuery, VmResult, VmTask, literal
from hostler.plan.outcome import Progress
from hostler.plan.plan import Plan
from hostler.plan.results import Became, apply_all
from hostler.vms.observe import Observed, observe
from hostler.vms.planner import plan_vm
from hostler.vms.reading import read_vms
from hostler.vms.results import failed, result_of
from hostler.vms.wait import wait_for

if TYPE_CHECKING:
    from hostler.backends.libvirt import Hypervisor
    from hostler.backends.libvirt.domains import DomainState
    from hostler.fleet import Fleet

OnProgress = Callable[[Progress], None] | None
Asked = VmTask | Mapping[str, Any]


@dataclass
class Item:
    """One task of a request: what was seen, and the plan or what is wrong with it."""

    name: str
    plan: Plan | HostlerError
    task: VmTask | None = None
    seen: Observed | None = None


class Request:
    """Tasks on one hypervisor, planned; nothing has happened yet.

    Raises:
        InvalidInput: two tasks are for the same VM.
        Unreachable: the hypervisor does not answer.
    """

    def __init__(self, fleet: Fleet, hypervisor: Hypervisor, tasks: Iterable[Asked]) -> None:
        self._fleet = fleet
        self._hypervisor = hypervisor
        parsed = [_parsed(task) for task in tasks]
        good = [task for _, task in parsed if isinstance(task, VmTask)]
        _no_twins(good)
        seen = iter(self._look(good))
        self.items = [
            self._item(name, task, next(seen)) if isinstance(task, VmTask) else Item(name, task)
            for name, task in parsed
        ]

    def preview(self, *, read_back: bool = True) -> list[VmResult]:
        """Tell what would be done; a result for each task, errors inside."""
        results = [_result(item, {}) for item in self.items]
        if read_back:
            self._read_back(results)
        return results

    def apply(
        self,
        *,
        parallel: int | None = None,
        max_failures: int | None = None,
        read_back: bool = True,
        on_progress: OnProgress = None,
    ) -> list[VmResult]:
        """Do what was planned, side by side; a result for each task, errors inside.

        The arguments are those of ``Vms.run``.
        """
        plans = [item.plan for item in self.items if isinstance(item.plan, Plan)]
        outcomes = apply_all(
            self._fleet.runner,
            plans,
            parallel=parallel or self._fleet.config.parallel,
            max_failures=max_failures,
            on_progress=on_progress,
        )
        results = [_result(item, outcomes) for item in self.items]
        self._wait(results)
        if read_back:
            self._read_back(results)
        return results

    def confirm(self) -> None:
        """Look again whether the plans still are what would be planned now.

        Raises:
            Conflict: something has changed since then, so that they are not.
        """
        tasks = [item.task for item in self.items if item.task]
        looked = iter(self._look(tasks))
        stale = [
            item.name
            for item in self.items
            if item.task and not _same(item.plan, self._again(item, item.task, next(looked)))
        ]
        if stale:
            raise Conflict(
                "it is no longer as it was when this was planned; nothing was touched",
                on=f"VM {some(stale)} on {self._hypervisor.uri}",
                hint="Run it again: it plans from what is there now.",
            )

    def _look(self, tasks: Sequence[VmTask]) -> Sequence[Observed | HostlerError]:
        return observe(self._hypervisor, tasks, self._fleet.kvm_works) if tasks else []

    def _item(self, name: str, task: VmTask, seen: Observed | HostlerError) -> Item:
        """Plan one task; an error belongs to that task."""
        if isinstance(seen, HostlerError):
            return Item(name, seen, task)
        try:
            return Item(name, plan_vm(task, seen, self._fleet.config.policy), task, seen)
        except HostlerError as error:
            return Item(name, error, task, seen)

    def _again(
        self, item: Item, task: VmTask, seen: Observed | HostlerError
    ) -> Plan | HostlerError:
        """Plan again of what is seen now, with the ids and the time of the first plan."""
        then = item.seen
        if then is not None and isinstance(seen, Observed):
            seen = replace(seen, new_uuid=then.new_uuid, new_macs=then.new_macs, now=then.now)
        return self._item(item.name, task, seen).plan

    def _wait(self, results: Sequence[VmResult]) -> None:
        """Wait side by side for what tasks want to wait for; what does not come is an error."""
        due = [
            (item.task, result)
            for item, result in zip(self.items, results, strict=True)
            if item.task and item.task.options.wait_for and result.error is None
        ]

        def one(pair: tuple[VmTask, VmResult]) -> None:
            task, result = pair
            name = task.spec.new_name or result.name
            try:
                result.vm = wait_for(self._hypervisor, name, task.options)
            except HostlerError as error:
                result.error, result.error_code = str(error), error.code

        self._hypervisor.pipeline(one, due)

    def _read_back(self, results: Sequence[VmResult]) -> None:
        """Tell the VMs as they are now; those that nobody has touched were read already."""
        due = [
            (item, result)
            for item, result in zip(self.items, results, strict=True)
            if result.vm is None and result.error is None
        ]
        states: dict[str, DomainState] = {}
        touched: set[str] = set()
        for item, result in due:
            if result.seconds is None:
                states |= _seen(item)
            else:
                touched |= {result.name, str(result.after.get("name", result.name))}
        if touched:
            states |= self._hypervisor.domains.read(touched)
        if not states:
            return
        query = VmQuery(names=tuple(literal(name) for name in states))
        found = {vm.name: vm for vm in read_vms(self._hypervisor, query, states)}
        for item, result in due:
            renamed = found.get(str(result.after.get("name")))
            result.vm = renamed or found.get(result.name) or found.get(next(iter(_seen(item)), ""))


def _seen(item: Item) -> dict[str, DomainState]:
    domain = item.seen.domain if item.seen else None
    return {domain.name: domain} if domain else {}


def _same(one: Plan | HostlerError, other: Plan | HostlerError) -> bool:
    """Whether two plans do the same; one that can't be made does nothing."""
    steps = [plan.steps if isinstance(plan, Plan) else None for plan in (one, other)]
    return steps[0] == steps[1]


def _result(item: Item, outcomes: Mapping[str, Became]) -> VmResult:
    if isinstance(item.plan, Plan):
        return result_of(item.name, item.plan, outcomes)
    return failed(item.name, item.plan)


def _parsed(asked: Asked) -> tuple[str, VmTask | HostlerError]:
    """Check one task; what is wrong with it is its own result."""
    try:
        task = asked if isinstance(asked, VmTask) else VmTask.parse(asked)
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
