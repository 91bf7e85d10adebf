# SPDX-License-Identifier: Apache-2.0
"""Plans what becomes of a network. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from typing import Any

from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, InvalidInput, PolicyError
from hostler.models.libvirt_network import BRIDGED, NetworkTask
from hostler.models.names import some
from hostler.networks.live import updates
from hostler.networks.network_xml import edit_network, read_network
from hostler.networks.steps import (
    DefineNetwork,
    SetNetworkAutostart,
    StartNetwork,
    StopNetwork,
    UndefineNetwork,
    UpdateNetwork,
)
from hostler.plan.plan import Plan
from hostler.plan.step import Step

FIELDS = (
    *("mode", "bridge", "domain", "mtu", "address"),
    *("dhcp_ranges", "dhcp_hosts", "vlans", "portgroups"),
)


@dataclass(frozen=True)
class NetworkNow:
    """A network as it is.

    Attributes:
        xml: its definition, or what runs where it is not defined.
        users: VMs with an interface in it.
    """

    xml: str
    active: bool
    autostart: bool
    persistent: bool = True
    users: Sequence[str] = ()


def plan_network(uri: str, task: NetworkTask, now: NetworkNow | None, policy: Policy) -> Plan:
    """Plan one network.

    Raises:
        InvalidInput: it lacks what its mode needs, or its addresses don't fit together.
        Conflict: VMs use it.
        PolicyError: the fleet's policy forbids it.
    """
    try:
        plan = _absent(uri, task, now) if task.state == "absent" else _present(uri, task, now)
        if plan.changed and policy.read_only:
            hint = "Unset policy.read_only in fleet.yml to change it."
            raise PolicyError("the fleet is read-only", hint=hint)
    except HostlerError as error:
        error.on = error.on or f"network {task.name!r} on {uri}"
        error.args = (str(error),)
        raise
    return plan


def _present(uri: str, task: NetworkTask, now: NetworkNow | None) -> Plan:
    given = _given(task) if now else {"mode": "nat", **_given(task)}
    xml = edit_network(now.xml if now else None, task.name, given)
    after = read_network(xml)
    _check({**after, **given})  # without an address there is nowhere to write DHCP
    active = _or(task.active, now.active if now else True)
    autostart = _or(task.autostart, now.autostart if now else True)
    steps, warnings = _changes(uri, task, now, xml, active)
    if autostart != (now.autostart if now else False):
        steps.append(SetNetworkAutostart(uri=uri, name=task.name, autostart=autostart))
    verb = "change" if now else "create"
    return Plan(
        target=f"network/{task.name}",
        summary=f"{verb} network {task.name}" if steps else "nothing to do",
        before=_shown(now) if now else {},
        after={**after, "active": active, "autostart": autostart},
        warnings=warnings,
        steps=steps,
    )


def _changes(
    uri: str, task: NetworkTask, now: NetworkNow | None, xml: str, active: bool
) -> tuple[list[Step], list[str]]:
    """Return the steps to a definition and to running, and warnings."""
    place = {"uri": uri, "name": task.name}
    start: list[Step] = [StartNetwork(**place)] if active else []
    if now is None:
        return [DefineNetwork(**place, xml=xml), *start], []
    changed = read_network(xml) != read_network(now.xml)
    define = DefineNetwork(**place, xml=xml, before_xml=now.xml if now.persistent else None)
    if not now.active:
        return [*([define] if changed else []), *start], []
    live = updates(now.xml, xml) if changed and now.persistent else None
    if live is not None and active:
        return [
            UpdateNetwork(
                **place,
                section=one.section,
                command_word=one.command,
                xml=one.xml,
                before_xml=one.before_xml,
            )
            for one in live
        ], []
    restart = changed or not active
    warnings = _refuse_users(task, now) if restart else []
    stop = StopNetwork(**place, xml=None if now.persistent else now.xml)
    steps: list[Step] = [stop] if restart else []
    steps += [define] if changed or not now.persistent else []
    return [*steps, *(start if restart else [])], warnings


def _absent(uri: str, task: NetworkTask, now: NetworkNow | None) -> Plan:
    target = f"network/{task.name}"
    if now is None:
        return Plan(target=target, summary="nothing to do")
    place = {"uri": uri, "name": task.name}
    warnings = _refuse_users(task, now)
    steps: list[Step] = []
    if now.active:
        steps.append(StopNetwork(**place, xml=None if now.persistent else now.xml))
    if now.persistent:
        steps.append(UndefineNetwork(**place, before_xml=now.xml, autostart=now.autostart))
    summary = f"remove network {task.name}"
    return Plan(target=target, summary=summary, before=_shown(now), warnings=warnings, steps=steps)


def _given(task: NetworkTask) -> dict[str, Any]:
    given = task.model_dump(include={*FIELDS}, exclude_none=True, mode="json")
    return {field: given[field] for field in FIELDS if field in given}


def _check(after: dict[str, Any]) -> None:
    """Refuse what libvirt would take apart or leave out without a word."""
    if after["mode"] in BRIDGED and not after.get("bridge"):
        hint = "Name the host's bridge: bridge: br0"
        raise InvalidInput(f"a network of mode {after['mode']} needs a bridge", hint=hint)
    if after["mode"] in BRIDGED and after.get("address"):
        what = f"it has an address of its own, and mode {after['mode']} can have none"
        raise InvalidInput(what, hint="Remove it first, or give the new one another name.")
    dhcp = [one["address"] for one in after["dhcp_hosts"]]
    dhcp += [one[end] for one in after["dhcp_ranges"] for end in ("start", "end")]
    if dhcp and not after.get("address"):
        hint = "Give it the host's address: address: 10.0.0.1/24"
        raise InvalidInput("DHCP needs an address of the network", hint=hint)
    for one in dhcp:
        if IPv4Address(one) not in IPv4Interface(after["address"]).network:
            raise InvalidInput(f"{one} is not in the network of {after['address']}")
    if after["mode"] != "openvswitch" and (
        after["vlans"] or any(group["vlans"] for group in after["portgroups"])
    ):
        hint = "Use mode: openvswitch, or leave the VLANs out."
        raise InvalidInput(f"mode {after['mode']} knows no VLANs", hint=hint)


def _refuse_users(task: NetworkTask, now: NetworkNow) -> list[str]:
    if not now.users:
        return []
    if not task.force:
        what = f"VMs are connected to it: {some(now.users)}"
        hint = "It would have to stop. Take them off it first, or say force: true."
        raise Conflict(what, hint=hint)
    return [f"These VMs lose their link until they are started again: {some(now.users)}"]


def _shown(now: NetworkNow) -> dict[str, Any]:
    return {**read_network(now.xml), "active": now.active, "autostart": now.autostart}


def _or(wanted: bool | None, otherwise: bool) -> bool:
    return otherwise if wanted is None else wanted
