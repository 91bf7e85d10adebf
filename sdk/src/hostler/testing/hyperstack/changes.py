# SPDX-License-Identifier: Apache-2.0
"""What of a VM changes in place, and what it tells: labels, addresses, volumes, firewalls, logs."""

from __future__ import annotations

import time

from hostler.testing.hyperstack.bodies import (
    CallbackUrl,
    FirewallIds,
    Labels,
    LogLength,
    NewRule,
    VolumeIds,
)
from hostler.testing.hyperstack.faults import Refused
from hostler.testing.hyperstack.metrics import series
from hostler.testing.hyperstack.routes import Answer, Request, by_id, ok, route
from hostler.testing.hyperstack.store import Row, Store

_VM = "/core/virtual-machines/{id}"
_DURATIONS = ("1h", "2h", "4h", "6h", "12h", "1d", "3d", "7d", "15d", "30d")


def _resting(store: Store, number: int) -> Row:
    """Return a VM that is ACTIVE or SHUTOFF.

    Raises:
        Refused: it is not there, or not at rest.
    """
    vm = by_id(store.vms, number, "VM")
    if vm["status"] not in ("ACTIVE", "SHUTOFF"):
        raise Refused(400, f"The VM is {vm['status']}, it must be ACTIVE or SHUTOFF")
    return vm


@route("PUT", f"{_VM}/label")
def set_labels(store: Store, request: Request, id: int) -> Answer:
    """Replace a VM's labels, or only add some: the documentation says both."""
    labels, vm = request.parsed(Labels).labels, by_id(store.vms, id, "VM")
    kept = vm["labels"] if store.labels_add else []
    vm["labels"] = list(dict.fromkeys([*kept, *labels]))
    return ok("Labels set")


@route("POST", f"{_VM}/attach-floatingip")
def attach_ip(store: Store, _request: Request, id: int) -> Answer:
    """Give a VM a public address, later."""
    vm = _resting(store, id)
    if vm["floating_ip"]:
        raise Refused(409, "The VM has a public address already")
    vm["floating_ip_status"] = "ATTACHING"
    store.later(vm, lambda: store.give_ip(vm), store.change_seconds)
    return ok("Attaching")


@route("POST", f"{_VM}/detach-floatingip")
def detach_ip(store: Store, _request: Request, id: int) -> Answer:
    """Take a VM's public address away, later."""
    vm = _resting(store, id)
    if not vm["floating_ip"]:
        raise Refused(400, "The VM has no public address")
    vm["floating_ip_status"] = "DETACHING"
    none = {"floating_ip": None, "floating_ip_status": "NO FLOATING IP"}
    store.later(vm, lambda: vm.update(none), store.change_seconds)
    return ok("Detaching")


@route("POST", f"{_VM}/attach-volumes")
def attach_volumes(store: Store, request: Request, id: int) -> Answer:
    """Attach volumes that are free."""
    numbers, vm = request.parsed(VolumeIds).volume_ids, _resting(store, id)
    volumes = [by_id(store.volumes, number, "volume") for number in dict.fromkeys(numbers)]
    if any(volume["status"] != "available" for volume in volumes):
        raise Refused(400, "A volume is not available")
    if any(volume["environment"] is not vm["environment"] for volume in volumes):
        raise Refused(400, "A volume is of another environment")
    for volume in volumes:
        volume["status"] = "in-use"
        common = {"id": volume["id"] + 500000, "device": "/dev/vdc", "status": "ATTACHED"}
        volume["attachments"] = [{**common, "instance_id": id}]
        seen = {k: volume[k] for k in ("id", "name", "size", "volume_type", "bootable")}
        vm["volume_attachments"].append({**common, "volume": seen})
    return ok("Attached", volume_attachments=vm["volume_attachments"])


@route("POST", f"{_VM}/detach-volumes")
def detach_volumes(store: Store, request: Request, id: int) -> Answer:
    """Detach volumes."""
    numbers, vm = request.parsed(VolumeIds).volume_ids, _resting(store, id)
    have = {a["volume"]["id"] for a in vm["volume_attachments"]}
    if not set(numbers) <= have:
        raise Refused(400, "A volume is not attached to the VM")
    for number in set(numbers):
        volume = by_id(store.volumes, number, "volume")
        volume["status"], volume["attachments"] = "available", []
    vm["volume_attachments"] = [
        a for a in vm["volume_attachments"] if a["volume"]["id"] not in numbers
    ]
    return ok("Detached", volume_attachments=vm["volume_attachments"])


@route("POST", f"{_VM}/sg-rules")
def add_rule(store: Store, request: Request, id: int) -> Answer:
    """Add a rule of a VM's own; twins are not refused."""
    wanted, vm = request.parsed(NewRule), _resting(store, id)
    rule = store.rule(**wanted.model_dump(exclude_unset=True))
    vm["security_rules"].append(rule)
    return ok("Rule added", security_rule=rule)


@route("DELETE", f"{_VM}/sg-rules/{{rule}}")
def remove_rule(store: Store, _request: Request, id: int, rule: int) -> Answer:
    """Remove a rule of a VM's own."""
    vm = _resting(store, id)
    vm["security_rules"].remove(by_id(vm["security_rules"], rule, "rule"))
    return ok("Rule removed")


@route("POST", f"{_VM}/attach-firewalls")
def attach_firewalls(store: Store, request: Request, id: int) -> Answer:
    """Make these a VM's firewalls, later: others are detached.

    Where ``store.forgetful`` says so, those firewalls lose their other VMs too.
    """
    wanted, vm = set(request.parsed(FirewallIds).firewalls), _resting(store, id)
    for number in wanted:
        firewall = by_id(store.firewalls, number, "firewall")
        if firewall["environment"] is not vm["environment"]:
            raise Refused(400, "A firewall is of another environment")
    forgets = store.forgetful > 0
    store.forgetful -= forgets
    gone_at = time.monotonic() + store.change_seconds
    for firewall in store.firewalls:
        mine = [a for a in firewall["attachments"] if a["vm"]["id"] == id]
        if firewall["id"] in wanted:
            if forgets:
                firewall["attachments"] = mine
            if not mine:
                store.attach(firewall, vm, seconds=store.change_seconds)
        else:
            for attachment in mine:
                attachment["_gone_at"] = gone_at
    store.settle()
    return ok("Firewalls are being attached")


def _callback(method: str, verb: str, *, there: bool) -> None:
    @route(method, f"{_VM}/{verb}")
    def act(store: Store, request: Request, id: int) -> Answer:
        url = request.parsed(CallbackUrl).url if method != "DELETE" else None
        vm = by_id(store.vms, id, "VM")
        if (vm["callback_url"] is not None) != there:
            raise Refused(400, f"The VM has {'no' if there else 'a'} callback")
        vm["callback_url"] = url
        return ok("Callback set")


_callback("POST", "attach-callback", there=False)
_callback("PUT", "update-callback", there=True)
_callback("DELETE", "delete-callback", there=True)


@route("GET", f"{_VM}/events")
def events(store: Store, _request: Request, id: int) -> Answer:
    """Return what happened to a VM."""
    return ok("Events", instance_events=by_id(store.vms, id, "VM")["_events"])


@route("GET", f"{_VM}/metrics")
def metrics(store: Store, request: Request, id: int) -> Answer:
    """Return what a VM uses."""
    vm, duration = by_id(store.vms, id, "VM"), request.query.get("duration", "1h")
    if duration not in _DURATIONS:
        raise Refused(400, f"duration must be one of {', '.join(_DURATIONS)}")
    return ok("Metrics", **(vm.get("_metrics") or series(vm, duration)))


@route("POST", f"{_VM}/logs")
def ask_for_logs(store: Store, request: Request, id: int) -> Answer:
    """Prepare a VM's log."""
    lines, vm = request.parsed(LogLength).length, by_id(store.vms, id, "VM")
    text = [f"[{n}] {vm['name']} boots" for n in range(3)]
    vm["_logs"] = (time.monotonic() + store.change_seconds, "\n".join(text[-lines:]))
    return ok("The log is being fetched", request_id=vm["id"] + 700000)


@route("GET", f"{_VM}/logs")
def logs(store: Store, request: Request, id: int) -> Answer:
    """Return a VM's log once it is there."""
    vm = by_id(store.vms, id, "VM")
    if request.number("request_id", 0) != vm["id"] + 700000 or "_logs" not in vm:
        raise Refused(404, "There is no such request")
    at, text = vm["_logs"]
    if at > time.monotonic():
        return 202, {"status": True, "message": "Not there yet"}
    return ok("Log", logs=text)
