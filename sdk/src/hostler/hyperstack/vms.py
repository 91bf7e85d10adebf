# SPDX-License-Identifier: Apache-2.0
"""fleet.hyperstack.vms: find, plan, run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from hostler.errors import HostlerError, InvalidInput, NotFound
from hostler.hyperstack.observe import observe
from hostler.hyperstack.planner import plan_vm
from hostler.hyperstack.running import bound, carry_out, parse, read_back, tried
from hostler.hyperstack.steps.base import only
from hostler.hyperstack.watch import until
from hostler.models.hyperstack import HyperstackVm, Named
from hostler.models.hyperstack_task import HyperstackResult, HyperstackVmQuery, HyperstackVmTask
from hostler.models.problems import checked
from hostler.plan.plan import Plan
from hostler.plan.runner import OnProgress

if TYPE_CHECKING:
    from hostler.backends.hyperstack import HyperstackApi
    from hostler.fleet import Fleet

Asked = HyperstackVmTask | Mapping[str, Any]

_SIDE_BY_SIDE = 8
_LOG_SECONDS = 60


class HyperstackVms:
    """VMs on Hyperstack."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def list(self, query: HyperstackVmQuery | None = None, **filters: Any) -> list[HyperstackVm]:
        """Read the VMs that a query finds, by name.

        Args:
            query: which VMs; or its fields as ``filters``.
            filters: fields of HyperstackVmQuery.

        Raises:
            InvalidInput: a filter makes no sense.
            HostlerError: Hyperstack can't be read.
        """
        query = query or checked(HyperstackVmQuery, filters, on="VM query")
        api = self._fleet.hyperstack_api()
        found = [vm for vm in api.vms.list(query.environment) if _fits(vm, query)]
        found.sort(key=lambda vm: (vm.name, vm.environment.name or "", vm.id))
        return _with_extra(api, found, query)

    def get(self, name: str, *, environment: str, **filters: Any) -> HyperstackVm:
        """Read one VM by its exact name.

        Raises:
            NotFound: there is none of that name.
            Conflict: there are several.
        """
        on = f"VM {name!r} in {environment}"
        api = self._fleet.hyperstack_api()
        vm = only(api.vms.list(environment), name, on)
        if vm is None:
            hint = "See 'hostler hyperstack vm list'."
            raise NotFound("there is no such VM", on=on, hint=hint)
        query = checked(HyperstackVmQuery, filters, on="VM query")
        return _with_extra(api, [vm], query)[0]

    def plan(self, tasks: Iterable[Asked]) -> Sequence[Plan]:
        """Plan tasks without touching anything.

        Raises:
            HostlerError: the first error of any task.
        """
        parsed = self._parsed(tasks)
        return bound(self._fleet, self._plans(parsed))

    def run(
        self,
        tasks: Iterable[Asked],
        *,
        check: bool = False,
        parallel: int | None = None,
        max_failures: int | None = None,
        on_progress: OnProgress = None,
    ) -> Sequence[HyperstackResult]:
        """Bring VMs to what is wanted, side by side; a result for each, errors inside.

        Args:
            tasks: HyperstackVmTasks, or mappings of their fields.
            check: touch nothing: the results say what would be.
            parallel: how many at once; the fleet's ``parallel`` where left out.
            max_failures: start no more once more than so many have failed.
            on_progress: is told of every step.

        Raises:
            InvalidInput: a task makes no sense, or two are for the same VM.
            HostlerError: Hyperstack can't be read.
        """
        parsed = self._parsed(tasks)
        planned = [
            (task.name, plan) for task, plan in zip(parsed, self._plans(parsed), strict=True)
        ]
        results = carry_out(
            self._fleet,
            planned,
            check=check,
            parallel=parallel,
            max_failures=max_failures,
            on_progress=on_progress,
        )
        if not check:
            self._read_back(parsed, results)
        return results

    def _parsed(self, tasks: Iterable[Asked]) -> Sequence[HyperstackVmTask]:
        parsed = [parse(HyperstackVmTask, task, "VM") for task in tasks]
        seen: set[tuple[str, str]] = set()
        for task in parsed:
            key = (task.environment, task.name)
            if key in seen:
                raise InvalidInput(f"VM {task.name!r} is named twice", hint="Give it one entry.")
            seen.add(key)
        return parsed

    def _plans(self, tasks: Sequence[HyperstackVmTask]) -> Sequence[Plan | HostlerError]:
        """Read each environment once, plan each VM; an error belongs to its own task."""
        api, policy = self._fleet.hyperstack_api(), self._fleet.config.policy
        names = dict.fromkeys(task.environment for task in tasks)
        worlds = {
            name: observe(api, name, [t for t in tasks if t.environment == name]) for name in names
        }
        return [
            tried(lambda task=task: plan_vm(task, worlds[task.environment], policy))  # type: ignore[misc]
            for task in tasks
        ]

    def _read_back(
        self, tasks: Sequence[HyperstackVmTask], results: Sequence[HyperstackResult]
    ) -> None:
        """Read the VMs as they are now, and wait for those that are still on their way."""
        api = self._fleet.hyperstack_api()
        pairs = [(t, r) for t, r in zip(tasks, results, strict=True) if r.error is None]
        now: dict[str, list[HyperstackVm] | HostlerError] = {}
        for environment in {task.environment for task, _ in pairs}:
            try:
                now[environment] = api.vms.list(environment)
            except HostlerError as error:
                now[environment] = error

        def one(pair: tuple[HyperstackVmTask, HyperstackResult]) -> None:
            task, result = pair
            read_back(result, lambda: _now(api, task, now[task.environment]))

        with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            list(pool.map(one, pairs))


def _now(
    api: HyperstackApi, task: HyperstackVmTask, vms: list[HyperstackVm] | HostlerError
) -> HyperstackVm | None:
    """Return a task's VM as it is now, or once it has come to rest."""
    if isinstance(vms, HostlerError):
        raise vms
    on = f"VM {task.name!r} in {task.environment}"
    vm = only(vms, task.name, on)
    if vm is None or not task.wait or vm.becomes == "DELETED":
        return vm

    def look() -> HyperstackVm | None:
        seen = api.vms.get(vm.id)
        return seen if _at_rest(seen) else None

    if _at_rest(vm):
        return vm
    every = api.config.poll_interval
    what = "it has not come to rest"
    return until(look, what, on=on, timeout=task.wait_timeout, every=every)


def _at_rest(vm: HyperstackVm) -> bool:
    return vm.settled and vm.floating_ip_status not in ("ATTACHING", "DETACHING")


def _fits(vm: HyperstackVm, query: HyperstackVmQuery) -> bool:
    return (
        (not query.names or any(fnmatchcase(vm.name, pattern) for pattern in query.names))
        and (not query.status or vm.status in query.status)
        and set(query.labels) <= set(vm.labels)
    )


def _with_extra(
    api: HyperstackApi, vms: list[HyperstackVm], query: HyperstackVmQuery
) -> list[HyperstackVm]:
    """Add what a query asks for besides, some VMs at once."""
    firewalls = api.firewalls.list() if "firewalls" in query.extra else None

    def one(vm: HyperstackVm) -> HyperstackVm:
        more: dict[str, Any] = {}
        if firewalls is not None:
            mine = [f for f in firewalls if vm.id in f.vm_ids]
            more["firewalls"] = tuple(Named(id=f.id, name=f.name) for f in mine)
        if "metrics" in query.extra:
            more["metrics"] = api.vms.metrics(vm.id, query.metrics_duration)
        if "events" in query.extra:
            more["events"] = tuple(api.vms.events(vm.id))
        if "logs" in query.extra:
            more["logs"] = _logs(api, vm, query.log_lines)
        return vm.model_copy(update=more)

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        return list(pool.map(one, vms))


def _logs(api: HyperstackApi, vm: HyperstackVm, lines: int) -> str:
    """Ask for the console's log, and wait for it."""
    request = api.vms.ask_for_logs(vm.id, lines)
    return until(
        lambda: api.vms.logs(vm.id, request),
        "its log has not come",
        on=f"VM {vm.name!r}",
        timeout=_LOG_SECONDS,
        every=api.config.poll_interval,
    )
