# SPDX-License-Identifier: Apache-2.0
"""Virtual machines: made, deleted, started, stopped."""

from __future__ import annotations

from typing import Any

from hostler.testing.hyperstack.bodies import NewVm
from hostler.testing.hyperstack.faults import Refused
from hostler.testing.hyperstack.routes import Answer, Request, by_id, by_name, ok, page, route
from hostler.testing.hyperstack.store import Row, Store

_VM = "/core/virtual-machines/{id}"
_ON_THE_WAY = ("CREATING", "BUILD")


@route("GET", "/core/virtual-machines")
def list_vms(store: Store, request: Request) -> Answer:
    """Return a page of VMs; an environment is found by part of its name unless told otherwise."""
    wanted = request.query.get("environment", "")
    exact = request.flag("exact_environment_match")
    search = request.query.get("search", "")
    vms = [
        _fresh(store, vm)
        for vm in store.vms
        if (wanted == vm["environment"]["name"] if exact else wanted in vm["environment"]["name"])
        and search in vm["name"]
    ]
    return page(request, "instances", vms)


@route("POST", "/core/virtual-machines")
def create_vm(store: Store, request: Request) -> Answer:
    """Make a VM, which takes time."""
    wanted = request.parsed(NewVm)
    environment = by_name(store.environments, wanted.environment_name, "environment")
    flavor = _offered(store.flavors, wanted.flavor_name, environment["region"], "flavor")
    image = _offered(store.images, wanted.image_name, environment["region"], "image")
    keys = [k for k in store.keypairs if k["environment"] is environment]
    by_name(keys, wanted.key_name, "keypair")
    if wanted.count != 1:
        raise Refused(400, "This stand-in makes one VM at a time")
    _check_room(store, environment, flavor, wanted.name)
    vm = store.add_vm(
        wanted.name,
        wanted.environment_name,
        image=image["name"],
        flavor=flavor["name"],
        key=wanted.key_name,
        status="CREATING",
        floating_ip=wanted.assign_floating_ip,
        labels=wanted.labels,
        callback_url=wanted.callback_url or None,
        port_randomization=wanted.assign_floating_ip and wanted.enable_port_randomization,
        security_rules=[
            store.rule(**rule.model_dump(exclude_unset=True)) for rule in wanted.security_rules
        ],
        _user_data=wanted.user_data,
    )
    vm["flavor"] = flavor
    if flavor["_stock"] is not None:
        flavor["_stock"] -= 1
    if store.hooks.on_create:
        store.hooks.on_create(vm)
    _build(store, vm)
    return ok("Virtual machines created", instances=[vm])


@route("GET", "/core/virtual-machines/name-availability/{name}")
def name_availability(store: Store, _request: Request, name: str) -> Answer:
    """Say whether a name is free."""
    free = all(vm["name"] != name for vm in store.vms)
    return ok("Name availability", name=name, available=free)


@route("GET", _VM)
def get_vm(store: Store, _request: Request, id: int) -> Answer:
    """Return a VM."""
    return ok("VM", instance=_fresh(store, by_id(store.vms, id, "VM")))


@route("DELETE", _VM)
def delete_vm(store: Store, _request: Request, id: int) -> Answer:
    """Delete a VM, which takes time, and can't be done while it is being created."""
    vm = _fresh(store, by_id(store.vms, id, "VM"))
    if vm["status"] in _ON_THE_WAY:
        raise Refused(400, "The VM is currently being created and can't be deleted")
    if vm["status"] == "DELETING":
        raise Refused(409, "The VM is being deleted already")
    vm["status"], vm["_due"] = "DELETING", []
    if store.hooks.on_delete:
        store.hooks.on_delete(vm)
    store.later(vm, lambda: _gone(store, vm), store.change_seconds)
    return ok("VM is being deleted")


def _power(path: str, since: tuple[str, ...], via: str, to: str) -> None:
    @route("GET", f"{_VM}/{path}")
    def act(store: Store, request: Request, id: int) -> Answer:
        vm = _fresh(store, by_id(store.vms, id, "VM"))
        retains = request.flag("retain_ip")
        if vm["status"] not in since:
            raise Refused(400, f"The VM is {vm['status']}, it must be {' or '.join(since)}")
        if to == "HIBERNATED":
            if vm["flavor"]["features"].get("no_hibernation"):
                raise Refused(400, "The flavor does not support hibernation")
            if not retains:
                vm["floating_ip"], vm["floating_ip_status"] = None, "NO FLOATING IP"
        vm["status"] = via
        store.later(vm, lambda: _become(vm, to), store.change_seconds)
        return ok(f"{path} has been scheduled")


_power("start", ("SHUTOFF",), "STARTING", "ACTIVE")
_power("stop", ("ACTIVE", "ERROR"), "STOPPING", "SHUTOFF")
_power("hard-reboot", ("ACTIVE", "ERROR"), "REBOOTING", "ACTIVE")
_power("hibernate", ("ACTIVE",), "HIBERNATING", "HIBERNATED")
_power("hibernate-restore", ("HIBERNATED",), "RESTORING", "ACTIVE")


def _check_room(store: Store, environment: Row, flavor: Row, name: str) -> None:
    if store.unique_names and any(vm["name"] == name for vm in store.vms):
        raise Refused(409, f"A VM with the name {name} exists already")
    mine = [vm for vm in store.vms if vm["environment"] is environment]
    if len(mine) >= environment["_max_vms"]:
        raise Refused(400, "The environment's quota of VMs is used up")
    if flavor["_stock"] == 0:
        raise Refused(400, f"There is not enough stock of {flavor['name']}")


def _offered(table: list[Row], name: str, region: Any, kind: str) -> Row:
    return by_name([row for row in table if row["region_name"] == region], name, kind)


def _build(store: Store, vm: Row) -> None:
    """Have it built by the clock; a hook that knows better comes before."""
    if vm["name"] in store.broken:
        end = "ERROR"
        vm["_events"].append(_event(vm, "No valid host was found"))
    else:
        end = "ACTIVE"
    seconds = store.create_seconds
    store.later(vm, lambda: _move_on(vm, "CREATING", "BUILD"), seconds)
    store.later(vm, lambda: _end(store, vm, end), seconds + store.build_seconds)


def _end(store: Store, vm: Row, status: str) -> None:
    if vm["status"] not in _ON_THE_WAY or store.hooks.status_of:
        return
    _built(store, vm, status)


def _built(store: Store, vm: Row, status: str) -> None:
    _become(vm, status)
    if status == "ACTIVE":
        vm["fixed_ip"] = vm["fixed_ip"] or f"10.0.{vm['id'] // 250 % 250}.{vm['id'] % 250 + 1}"
        if vm["_wants_ip"]:
            vm["floating_ip_status"] = "ATTACHING"
            store.later(vm, lambda: store.give_ip(vm), store.change_seconds)


def _fresh(store: Store, vm: Row) -> Row:
    """Return a VM as it is now, asking whoever makes it real."""
    if store.hooks.status_of and vm["status"] in _ON_THE_WAY:
        status = store.hooks.status_of(vm)
        if status in ("ACTIVE", "ERROR"):
            _built(store, vm, status)
        elif status:
            vm["status"] = status
    return vm


def _move_on(vm: Row, before: str, status: str) -> None:
    if vm["status"] == before:
        vm["status"] = status


def _become(vm: Row, status: str) -> None:
    runs = status == "ACTIVE"
    vm["status"] = status
    vm["power_state"] = "RUNNING" if runs else "SHUTDOWN"
    vm["vm_state"] = {"ACTIVE": "active", "ERROR": "error"}.get(status, "stopped")


def _gone(store: Store, vm: Row) -> None:
    store.vms.remove(vm)
    if vm["flavor"].get("_stock") is not None:
        vm["flavor"]["_stock"] += 1
    for firewall in store.firewalls:
        firewall["attachments"] = [a for a in firewall["attachments"] if a["vm"]["id"] != vm["id"]]
    for volume in store.volumes:
        if any(a["instance_id"] == vm["id"] for a in volume["attachments"]):
            volume["status"], volume["attachments"] = "available", []


def _event(vm: Row, message: str) -> Row:
    return {
        "instance_id": vm["id"],
        "user_id": 1,
        "org_id": 1,
        "time": vm["created_at"],
        "type": "create",
        "reason": "server_error",
        "object": "VM",
        "message": message,
    }
