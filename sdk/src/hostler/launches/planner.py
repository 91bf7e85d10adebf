# SPDX-License-Identifier: Apache-2.0
"""Plans the launch of a VM on one host. Pure; all is checked before anything is made.

The order of things: the lock of the host, so that two launches don't meet there; its servers
counted again; the VM made and waited for; looked up in Nova, as Hyperstack can't be told a host;
its port in the storage network; its firewall. When one fails, those before it are undone.
"""

from __future__ import annotations

from typing import Any

from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, NotFound, PolicyError
from hostler.gpu.names import known_host
from hostler.gpu.steps import CountServers, ReleaseLock, TakeLock
from hostler.gpu.world import GpuWorld
from hostler.hyperstack.planner.common import the_environment
from hostler.hyperstack.planner.create import create_steps, state_of_new
from hostler.hyperstack.prices import price_of
from hostler.hyperstack.steps import CreateKeptVm, CreateVm
from hostler.hyperstack.steps.base import only
from hostler.launches.flavor import choose_flavor, free_besides
from hostler.launches.links import firewall_step, port_steps
from hostler.launches.region import region_of
from hostler.launches.steps import CheckPlacement
from hostler.launches.template import runpod_user_data
from hostler.launches.world import LaunchWorld
from hostler.models.hyperstack import Flavor, HyperstackVm, Image
from hostler.models.hyperstack_task import HyperstackVmTask
from hostler.models.launch import Estimate, LaunchTask
from hostler.models.launch_config import LaunchRegion
from hostler.models.nova import Aggregate, Server
from hostler.plan.plan import Plan, new_id
from hostler.plan.step import Step

_MARGIN = 15
"""Minutes that the lock holds beyond the time that the VM gets to run."""


def plan_launch(task: LaunchTask, world: LaunchWorld, policy: Policy) -> Plan:
    """Plan a launch; where the VM is there already, only what it lacks.

    Raises:
        InvalidInput: the region is not known.
        NotFound: no such host, environment, image, flavor, key, network or firewall.
        Conflict: the host is not free, the VM could land elsewhere, the name is taken.
        PolicyError: the fleet's policy forbids it.
    """
    on = f"host {task.hostname!r}"
    try:
        plan = _plan(task, world)
    except HostlerError as error:
        error.on = error.on or on
        error.args = (str(error),)
        raise
    if plan.changed:
        _guard(task, policy, on)
    return plan


def _plan(task: LaunchTask, world: LaunchWorld) -> Plan:
    known_host(world.gpu, task.hostname)
    region, settings = region_of(task, world.config)
    the_environment(world.hyperstack)
    vm = only(world.hyperstack.vms, task.vm_name, f"VM {task.vm_name!r}")
    if vm is not None and vm.becomes != "DELETED":
        return _complete(task, world, settings, vm)
    pool = _free_host(task, world)
    image = _image(task, world, region)
    flavor = choose_flavor(world, task, region)
    request = _request(task, settings, image, flavor)
    made, warnings = create_steps(request, world.hyperstack)
    plan = new_id()
    host = _common(task, world, pool, plan)
    return Plan(
        id=plan,
        target=f"launch/{task.hostname}",
        summary=f"launch VM {task.vm_name} on host {task.hostname}",
        after={**state_of_new(request), "host": task.hostname, **_links(settings)},
        warnings=[*world.gpu.warnings, *warnings, *_doubts(task, world, region, flavor)],
        facts=_facts(world, flavor, image.name),
        steps=[
            TakeLock(**host),
            CountServers(**host, provider=world.gpu.computes[task.hostname].provider),
            *(_kept(step, task) for step in made),
            _check(task, world, settings),
            *port_steps(task, world, settings, None),
            *firewall_step(task, world, settings, None),
            ReleaseLock(**host),
        ],
    )


def _complete(
    task: LaunchTask, world: LaunchWorld, settings: LaunchRegion, vm: HyperstackVm
) -> Plan:
    """Plan what a VM lacks that is there already, and runs where it should."""
    server = _server(world.gpu, vm)
    where = server.host if server else None
    if server is None or where != task.hostname:
        place = f"runs on host {where}" if where else "is not among Nova's servers"
        raise Conflict(
            f"there is a VM {task.vm_name!r} already, and it {place}",
            hint="Give the new one another name, or delete that one.",
        )
    _check_same(task, vm)
    connect = port_steps(task, world, settings, server)
    guard = firewall_step(task, world, settings, vm)
    steps = [*connect, *guard]
    words = [step.summary for step in steps]
    same = {"name": vm.name, "host": where, "status": vm.status}
    return Plan(
        target=f"launch/{task.hostname}",
        summary="; ".join(words) if words else f"VM {vm.name} runs on host {where}",
        before={**same, "connected": not connect, "guarded": not guard},
        after={**same, "connected": True, "guarded": True},
        facts=_facts(world, vm.flavor, vm.image.name),
        steps=steps,
    )


def _check_same(task: LaunchTask, vm: HyperstackVm) -> None:
    """Refuse a VM that is made of something else than is wanted, as far as it shows."""
    image, by_id = vm.image.name, task.image.isdigit()
    differs = []
    if image is not None and not by_id and task.image != image:
        differs.append(f"its image is {image}, not {task.image}")
    if task.flavor not in (None, vm.flavor.name):
        differs.append(f"its flavor is {vm.flavor.name}, not {task.flavor}")
    if differs:
        what = f"there is a VM {vm.name!r} already, and {'; '.join(differs)}"
        raise Conflict(what, hint="Delete that one first, or give the new one another name.")


def _free_host(task: LaunchTask, world: LaunchWorld) -> Aggregate:
    """Return the pool of the host, which must be the right one, and empty.

    Raises:
        Conflict: it is not.
    """
    name, wanted = task.hostname, world.config.pool
    pools = [a for a in world.gpu.pools_of(name) if world.gpu.classes[a.name].pool == wanted]
    if not pools:
        where = ", ".join(a.name for a in world.gpu.aggregates_of.get(name, ())) or "no aggregate"
        raise Conflict(
            f"it is in no aggregate of the pool {wanted}, but in {where}",
            hint=f"Move it first: hostler gpu move {name} --pool {wanted}",
        )
    servers = world.gpu.servers_of.get(name, [])
    if servers:
        names = ", ".join(sorted(server.name for server in servers))
        raise Conflict(f"it is not free: {names}", hint="Choose another host.")
    compute = world.gpu.computes.get(name)
    if compute is None or not (compute.up and compute.enabled):
        raise Conflict("its compute service takes no servers", hint="Enable it first.")
    return pools[0]


def _image(task: LaunchTask, world: LaunchWorld, region: str) -> Image:
    """Return the image of a name or an id."""
    catalogue = world.hyperstack.catalogue
    there = catalogue.images if catalogue else ()
    found = [i for i in there if task.image in (i.name, str(i.id))]
    if not found:
        names = ", ".join(sorted(i.name for i in there)[:12]) or "none"
        raise NotFound(f"region {region} has no image {task.image!r} (there: {names})")
    return found[-1]


def _request(
    task: LaunchTask, settings: LaunchRegion, image: Image, flavor: Flavor
) -> HyperstackVmTask:
    """Return the VM as Hyperstack is asked for it."""
    seed = runpod_user_data(task.runpod, task.vm_name) if task.runpod else task.user_data
    return HyperstackVmTask(
        name=task.vm_name,
        environment=settings.environment,
        image=image.name,
        flavor=flavor.name,
        key=settings.key,
        user_data=seed,
        labels=task.labels,
        floating_ip=task.floating_ip,
        security_rules=settings.security_rules,
        wait_timeout=task.wait_timeout,
    )


def _common(task: LaunchTask, world: LaunchWorld, pool: Aggregate, plan: str) -> dict[str, Any]:
    minutes = max(world.gpu.config.lock_minutes, task.wait_timeout // 60 + _MARGIN)
    return {
        "cloud": world.gpu.cloud,
        "host": task.hostname,
        "plan": plan,
        "lock_in": pool.id,
        "lock_minutes": minutes,
    }


def _kept(step: Step, task: LaunchTask) -> Step:
    """Have the VM stay when a later step fails, where that was asked for."""
    if not isinstance(step, CreateVm) or task.on_failure == "delete":
        return step
    return CreateKeptVm(**{name: getattr(step, name) for name in CreateVm.model_fields})


def _check(task: LaunchTask, world: LaunchWorld, settings: LaunchRegion) -> Step:
    misplaced = task.on_misplaced
    return CheckPlacement(
        url=world.hyperstack.url,
        environment=settings.environment,
        name=task.vm_name,
        timeout=task.wait_timeout,
        cloud=world.gpu.cloud,
        host=task.hostname,
        settle=world.config.settle_seconds,
        keep=misplaced == "keep",
        deletes=misplaced == "delete" and task.on_failure == "keep",
    )


def _doubts(task: LaunchTask, world: LaunchWorld, region: str, flavor: Flavor) -> list[str]:
    """Say what may keep the VM from running, or from running on this host.

    Raises:
        Conflict: it could land elsewhere, and placement is strict.
    """
    found = []
    others = free_besides(world.gpu, task.hostname, flavor)
    if others:
        what = f"flavor {flavor.name} can land on other free hosts too: {', '.join(others)}"
        if task.strict_placement:
            raise Conflict(what, hint="Take those out of the pool first, or allow it.")
        found.append(f"{what[0].upper()}{what[1:]}. Where it landed is checked afterwards.")
    for stock in world.stocks:
        amount = stock.available or ""
        here = stock.region.upper() == region.upper() and stock.model == flavor.gpu
        if here and amount.isdigit() and int(amount) < (flavor.gpu_count or 0):
            found.append(f"Hyperstack's stock has {amount} of {flavor.gpu} in {region}.")
    return found


def _facts(world: LaunchWorld, flavor: Flavor, image: str | None) -> dict[str, Any]:
    estimate = Estimate(
        flavor=str(flavor.name),
        gpu_count=flavor.gpu_count,
        price_per_hour=price_of(flavor, world.prices),
    )
    return {"flavor": flavor.name, "image": image, "estimate": estimate.model_dump()}


def _links(settings: LaunchRegion) -> dict[str, Any]:
    return {"network": settings.network, "firewall": settings.firewall}


def _server(world: GpuWorld, vm: HyperstackVm) -> Server | None:
    """Return Nova's side of a VM: the server of exactly its name and its address."""
    named = [server for server in world.servers if server.name == vm.name]
    if vm.fixed_ip is not None:
        named = [server for server in named if vm.fixed_ip in server.addresses]
    return named[0] if len(named) == 1 else None


def _guard(task: LaunchTask, policy: Policy, on: str) -> None:
    if policy.read_only:
        hint = "Unset policy.read_only in fleet.yml to change it."
        raise PolicyError("the fleet is read-only", on=on, hint=hint)
    protected = policy.protects(task.hostname) or policy.protects(task.vm_name)
    if protected and not task.override_protection:
        hint = "Say override_protection: true in the task if you mean it."
        raise PolicyError("it is protected", on=on, hint=hint)
