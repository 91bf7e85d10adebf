# SPDX-License-Identifier: Apache-2.0
"""Request: tasks that were looked at and planned together; shown first, or applied at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from hostler.errors import Conflict, HostlerError, InvalidInput, NoRoom, NotFound, PlanFailed
from hostler.models.names import some
from hostler.models.placement import AUTO
from hostler.models.vm_task import VmQuery, VmResult, VmTask, literal
from hostler.plan.outcome import Progress
from hostler.plan.plan import Plan
from hostler.plan.results import Became, apply_all
from hostler.vms.home import Home
from hostler.vms.observe import Observed, observe
from hostler.vms.planner import plan_vm
from hostler.vms.reading import read_vms
from hostler.vms.results import failed, result_of
from hostler.vms.wait import wait_for

if TYPE_CHECKING:
    from hostler.backends.libvirt.domains import DomainState
    from hostler.fleet import Fleet

OnProgress = Callable[[Progress], None] | None
Asked = VmTask | Mapping[str, Any]
T = TypeVar("T")
R = TypeVar("R")

THREADS = 32
"""Hypervisors, or waits for VMs, at once."""


@dataclass
class Item:
    """One task of a request: where, what was seen, and the plan or what is wrong with it."""

    name: str
    plan: Plan | HostlerError
    asked: VmTask | None = None
    home: Home | None = None
    seen: Observed | None = None


class Request:
    """Tasks on hypervisors, planned; nothing has happened yet.

    ``unreachable`` are the hosts of the pool that could not be asked for VMs, and why.

    Args:
        fleet: opens the hypervisors.
        tasks: the tasks; each may name its own host.
        uri: the hypervisor of those that name none.
        host: the same, as a host of the pool.

    Raises:
        InvalidInput: two tasks are for the same VM.
        Unreachable: no hypervisor answers.
    """

    def __init__(
        self,
        fleet: Fleet,
        tasks: Iterable[Asked],
        *,
        uri: str | None = None,
        host: str | None = None,
    ) -> None:
        self._fleet = fleet
        self._outcomes: Mapping[str, Became] = {}
        self.unreachable: Mapping[str, str] = {}
        parsed = [_parsed(task) for task in tasks]
        good = [task for _, task in parsed if isinstance(task, VmTask)]
        _no_twins(good)
        homes = self._homes(good, uri, host)
        seen = iter(self._look([home for home in homes if isinstance(home, Home)]))
        found = iter(
            [
                self._item(task, home, next(seen))
                if isinstance(home, Home)
                else Item(task.spec.name, home, task)
                for task, home in zip(good, homes, strict=True)
            ]
        )
        self.items = [
            next(found) if isinstance(task, VmTask) else Item(name, task) for name, task in parsed
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
        self._outcomes = apply_all(
            self._fleet.runner,
            plans,
            parallel=parallel or self._fleet.config.parallel,
            max_failures=max_failures,
            on_progress=on_progress,
        )
        results = [_result(item, self._outcomes) for item in self.items]
        self._wait(results)
        if read_back:
            self._read_back(results)
        return results

    def outrun(self) -> list[int]:
        """Return the numbers of items whose room somebody else got meanwhile."""
        return [
            number
            for number, item in enumerate(self.items)
            if isinstance(item.plan, Plan)
            and isinstance(lost := self._outcomes.get(item.plan.id), PlanFailed)
            and isinstance(lost.cause, NoRoom)
        ]

    def confirm(self) -> None:
        """Look again whether the plans still are what would be planned now.

        Raises:
            Conflict: something has changed since then, so that they are not.
        """
        planned = [(item, item.home) for item in self.items if item.home]
        looked = self._look([home for _, home in planned])
        stale = [
            (item.name, home.uri)
            for (item, home), seen in zip(planned, looked, strict=True)
            if not _same(item.plan, self._again(item, home, seen))
        ]
        if stale:
            raise Conflict(
                "it is no longer as it was when this was planned; nothing was touched",
                on=f"VM {some([name for name, _ in stale])} on {stale[0][1]}",
                hint="Run it again: it plans from what is there now.",
            )

    def _homes(
        self, tasks: Sequence[VmTask], uri: str | None, host: str | None
    ) -> Sequence[Home | HostlerError]:
        """Return where each task is carried out; what names no host may get one."""
        homes: dict[int, Home | HostlerError] = {}
        for number, task in enumerate(tasks):
            try:
                if home := self._named(task, uri, host):
                    homes[number] = home
            except (InvalidInput, NotFound) as error:
                homes[number] = error
        placed = [number for number in range(len(tasks)) if number not in homes]
        if placed:
            found = self._fleet.hosts.homes([tasks[number] for number in placed])
            homes |= dict(zip(placed, found, strict=True))
        return [homes[number] for number in range(len(tasks))]

    def _named(self, task: VmTask, uri: str | None, host: str | None) -> Home | None:
        """Return the hypervisor that a task or the request names; None where one is looked for."""
        if own := task.options.host:
            uri, host = None, own
        if self._fleet.places(uri, host, by_rules=task.options.placement is not None):
            return None
        at = self._fleet.uri_of(uri, host)
        host_id = host or (None if uri else self._fleet.host)
        return Home(at, task, lambda plan: self._warned(at, plan), host_id)

    def _warned(self, uri: str, plan: Plan) -> Plan:
        """Warn of a VM that is made on a host in maintenance: somebody has named it."""
        if plan.before or not plan.changed:
            return plan
        said = [f"host {name} is in maintenance" for at, name in self._resting if at == uri]
        return plan.model_copy(update={"warnings": [*plan.warnings, *said]})

    @cached_property
    def _resting(self) -> Sequence[tuple[str, str]]:
        """URIs and ids of hosts in maintenance."""
        return [(host.uri, host.id) for host in self._fleet.hosts.list() if host.maintenance]

    def _look(self, homes: Sequence[Home]) -> Sequence[Observed | HostlerError]:
        """Observe hypervisors side by side; one that fails is an error of each of its tasks."""
        by_uri: dict[str, list[int]] = {}
        for number, home in enumerate(homes):
            by_uri.setdefault(home.uri, []).append(number)
        found: dict[int, Observed | HostlerError] = {}

        def one(uri: str) -> HostlerError | None:
            numbers = by_uri[uri]
            try:
                tasks = [homes[number].task for number in numbers]
                seen = observe(self._fleet.hypervisor(uri), tasks, self._fleet.kvm_works)
            except HostlerError as error:
                found.update(dict.fromkeys(numbers, error))
                return error
            found.update(zip(numbers, seen, strict=True))
            return None

        errors = side_by_side(one, by_uri)
        if errors and all(errors):
            raise next(error for error in errors if error)
        return [found[number] for number in range(len(homes))]

    def _item(self, asked: VmTask, home: Home, seen: Observed | HostlerError) -> Item:
        """Plan one task; an error belongs to that task."""
        name = asked.spec.name
        if isinstance(seen, HostlerError):
            return Item(name, seen, asked, home)
        try:
            plan = home.keep(plan_vm(home.task, seen, self._fleet.config.policy))
        except HostlerError as error:
            return Item(name, error, asked, home, seen)
        return Item(name, plan, asked, home, seen)

    def _again(self, item: Item, home: Home, seen: Observed | HostlerError) -> Plan | HostlerError:
        """Plan again of what is seen now, with the ids and the time of the first plan."""
        then = item.seen
        if then is not None and isinstance(seen, Observed):
            seen = replace(seen, new_uuid=then.new_uuid, new_macs=then.new_macs, now=then.now)
        return self._item(home.task, home, seen).plan

    def _wait(self, results: Sequence[VmResult]) -> None:
        """Wait side by side for what tasks want to wait for; what does not come is an error."""
        due = [
            (item.home, result)
            for item, result in zip(self.items, results, strict=True)
            if item.home and item.home.task.options.wait_for and result.error is None
        ]

        def one(pair: tuple[Home, VmResult]) -> None:
            home, result = pair
            name, options = home.task.spec.new_name or result.name, home.task.options
            try:
                result.vm = wait_for(self._fleet.hypervisor(home.uri), name, options)
            except HostlerError as error:
                result.error, result.error_code = str(error), error.code

        side_by_side(one, due)

    def _read_back(self, results: Sequence[VmResult]) -> None:
        """Tell the VMs as they are now; those that nobody has touched were read already."""
        by_uri: dict[str, list[tuple[Item, VmResult]]] = {}
        for item, result in zip(self.items, results, strict=True):
            if item.home and result.vm is None and result.error is None:
                by_uri.setdefault(item.home.uri, []).append((item, result))
        side_by_side(lambda uri: self._read_back_on(uri, by_uri[uri]), by_uri)

    def _read_back_on(self, uri: str, due: Sequence[tuple[Item, VmResult]]) -> None:
        hypervisor = self._fleet.hypervisor(uri)
        states: dict[str, DomainState] = {}
        touched: set[str] = set()
        for item, result in due:
            if result.seconds is None:
                states |= _seen(item)
            else:
                touched |= {result.name, str(result.after.get("name", result.name))}
        if touched:
            states |= hypervisor.domains.read(touched)
        if not states:
            return
        query = VmQuery(names=tuple(literal(name) for name in states))
        found = {vm.name: vm for vm in read_vms(hypervisor, query, states)}
        for item, result in due:
            renamed = found.get(str(result.after.get("name")))
            result.vm = renamed or found.get(result.name) or found.get(next(iter(_seen(item)), ""))
            if result.vm:
                result.vm.host_id = result.host_id


def side_by_side(call: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Run a call for each item, in threads where there are several; answers in their order."""
    todo = list(items)
    if len(todo) < 2:
        return [call(item) for item in todo]
    with ThreadPoolExecutor(min(THREADS, len(todo))) as pool:
        return list(pool.map(call, todo))


def _seen(item: Item) -> dict[str, DomainState]:
    domain = item.seen.domain if item.seen else None
    return {domain.name: domain} if domain else {}


def _same(one: Plan | HostlerError, other: Plan | HostlerError) -> bool:
    """Whether two plans do the same; one that can't be made does nothing."""
    steps = [plan.steps if isinstance(plan, Plan) else None for plan in (one, other)]
    return steps[0] == steps[1]


def _result(item: Item, outcomes: Mapping[str, Became]) -> VmResult:
    if isinstance(item.plan, Plan):
        result = result_of(item.name, item.plan, outcomes)
    else:
        result = failed(item.name, item.plan)
    result.host_id = item.home.host_id if item.home else None
    return result


def _parsed(asked: Asked) -> tuple[str, VmTask | HostlerError]:
    """Check one task; what is wrong with it is its own result."""
    try:
        task = asked if isinstance(asked, VmTask) else VmTask.parse(asked)
    except InvalidInput as error:
        return (str(asked.get("name") or "") if isinstance(asked, Mapping) else ""), error
    return task.spec.name, task


def _no_twins(tasks: Sequence[VmTask]) -> None:
    """Refuse two tasks for one VM; two hosts that are named may each have one of that name."""
    hosts_of: dict[str, list[str]] = {}
    for task in tasks:
        host = task.options.host or AUTO
        for name in {task.spec.name, task.spec.new_name or task.spec.name}:
            others = hosts_of.setdefault(name, [])
            if others and (host in others or AUTO in {host, *others}):
                raise InvalidInput(f"VM {name!r} is named twice", hint="Give each VM one entry.")
            others.append(host)
