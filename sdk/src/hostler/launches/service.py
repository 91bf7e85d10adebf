# SPDX-License-Identifier: Apache-2.0
"""fleet.launches: GPU VMs of Hyperstack on hosts of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from hostler.errors import HostlerError, InvalidInput
from hostler.hyperstack.steps import CreateVm
from hostler.hyperstack.steps.base import only
from hostler.launches.observe import observe
from hostler.launches.planner import plan_launch
from hostler.launches.region import region_of
from hostler.models.launch import Estimate, LaunchResult, LaunchTask
from hostler.models.network import NetworkView
from hostler.models.problems import checked
from hostler.plan.plan import Plan
from hostler.plan.results import Became, apply_all, result_of
from hostler.plan.runner import OnProgress

if TYPE_CHECKING:
    from hostler.fleet import Fleet

Asked = LaunchTask | Mapping[str, Any]


class Launches:
    """Launches of GPU VMs."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def plan(self, task: Asked) -> Plan:
        """Plan a launch without touching anything; ``plan.commands`` is the preview.

        Raises:
            InvalidInput: the task makes no sense, or its region is not known.
            NotFound: no such host, environment, image, flavor, key or firewall.
            Conflict: the host is not free, the VM could land elsewhere, the name is taken.
        """
        (plan,) = self._plans([_parsed(task)])
        if isinstance(plan, HostlerError):
            raise plan
        return plan.bind(self._fleet.runner)

    def run(
        self,
        tasks: Iterable[Asked],
        *,
        check: bool = False,
        parallel: int | None = None,
        max_failures: int | None = None,
        on_progress: OnProgress = None,
    ) -> list[LaunchResult]:
        """Launch VMs side by side; a result for each, errors inside.

        Args:
            tasks: LaunchTasks, or mappings of their fields.
            check: touch nothing: the results say what would be.
            parallel: how many at once; the fleet's ``parallel`` where left out.
            max_failures: start no more once more than so many have failed.
            on_progress: is told of every step.

        Raises:
            InvalidInput: a task makes no sense, or a host is named twice.
            HostlerError: OpenStack or Hyperstack can't be read.
        """
        parsed = [_parsed(task) for task in tasks]
        hosts = [task.hostname for task in parsed]
        if twice := sorted({host for host in hosts if hosts.count(host) > 1}):
            raise InvalidInput(f"host {twice[0]!r} is named twice", hint="It takes one VM.")
        planned = self._plans(parsed)
        outcomes: dict[str, Became] = {}
        if not check:
            outcomes = apply_all(
                self._fleet.runner,
                [plan for plan in planned if isinstance(plan, Plan)],
                parallel=parallel or self._fleet.config.parallel,
                max_failures=max_failures,
                on_progress=on_progress,
            )
        results = [
            _result(task, plan, outcomes) for task, plan in zip(parsed, planned, strict=True)
        ]
        self._look(parsed, results)
        return results

    def _plans(self, tasks: list[LaunchTask]) -> list[Plan | HostlerError]:
        worlds = observe(self._fleet, tasks)
        plans: list[Plan | HostlerError] = []
        for task in tasks:
            _, settings = region_of(task, self._fleet.config.launches)
            try:
                world = worlds[settings.environment]
                plans.append(plan_launch(task, world, self._fleet.config.policy))
            except HostlerError as error:
                plans.append(error)
        return plans

    def _look(self, tasks: list[LaunchTask], results: list[LaunchResult]) -> None:
        """Read back what became of the VMs that are there, side by side."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self._look_at, tasks, results))

    def _look_at(self, task: LaunchTask, result: LaunchResult) -> None:
        """Read one VM back; a failure to do so changes nothing of what was done."""
        try:
            self._read_back(task, result)
        except HostlerError as error:
            result.warnings.append(f"{task.vm_name}: it could not be read back: {error}")

    def _read_back(self, task: LaunchTask, result: LaunchResult) -> None:
        """Read one VM back; where it is not there, nothing is known of it."""
        _, settings = region_of(task, self._fleet.config.launches)
        found = self._fleet.hyperstack_api().vms.list(settings.environment)
        vm = only(found, task.vm_name, f"VM {task.vm_name!r}")
        if vm is None:
            return
        result.vm_id, result.status = vm.id, vm.status
        servers = self._fleet.openstack_cloud().compute.servers(name=task.vm_name)
        mine = [s for s in servers if vm.fixed_ip is None or vm.fixed_ip in s.addresses]
        result.placed_on = mine[0].host if len(mine) == 1 else None
        if settings.network and len(mine) == 1:
            ports = self._fleet.openstack_cloud().network.ports(server=mine[0].id)
            named = {network.id for network in self._networks(settings.network)}
            result.network_setup = any(port.network_id in named for port in ports)
        if settings.firewall:
            firewalls = self._fleet.hyperstack_api().firewalls.list()
            result.firewall_configured = any(
                vm.id in firewall.vm_ids and settings.firewall in (firewall.name, str(firewall.id))
                for firewall in firewalls
            )

    def _networks(self, word: str) -> list[NetworkView]:
        return self._fleet.openstack.networks(word)


def _parsed(task: Asked) -> LaunchTask:
    if isinstance(task, LaunchTask):
        return task
    given = {name: value for name, value in task.items() if value is not None}
    host = str(given.get("hostname", ""))[:60]
    return checked(LaunchTask, given, on=f"launch on host {host!r}" if host else "launch")


def _result(
    task: LaunchTask, plan: Plan | HostlerError, outcomes: Mapping[str, Became]
) -> LaunchResult:
    if isinstance(plan, HostlerError):
        return _failed(task, plan)
    create = next((step for step in plan.steps if isinstance(step, CreateVm)), None)
    command = create.command if create else None
    return result_of(
        LaunchResult,
        task.hostname,
        plan,
        outcomes,
        hostname=task.hostname,
        image_name=plan.facts["image"],
        flavor=plan.facts["flavor"],
        command=command,
        masked_command=command,
        estimated_resources=Estimate.model_validate(plan.facts["estimate"]),
    )


def _failed(task: LaunchTask, error: HostlerError) -> LaunchResult:
    """Return the result of a launch that could not even be planned."""
    return LaunchResult(
        name=task.hostname,
        hostname=task.hostname,
        error=str(error),
        error_code=error.code,
    )
