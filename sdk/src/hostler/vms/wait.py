# SPDX-License-Identifier: Apache-2.0
"""Waiting until a VM has an address, its agent answers, or a port of it is open."""

from __future__ import annotations

import socket
import time

from hostler.backends.libvirt.hypervisor import Hypervisor
from hostler.errors import NotFound, Timeout
from hostler.models.vm_task import VmOptions, VmQuery, literal
from hostler.models.vm_view import Vm
from hostler.vms.reading import read_vms

_HINTS = {
    "ip": "Does the guest ask for an address by DHCP, on a network of libvirt's own?",
    "agent": "Is qemu-guest-agent installed and running in the guest?",
    "ssh": "Does sshd run in the guest, and can this machine reach it?",
    "port": "Does the service run in the guest, and can this machine reach it?",
}


def wait_for(hypervisor: Hypervisor, name: str, options: VmOptions) -> Vm:
    """Wait for what ``options.wait_for`` names; returns the VM as it was when it came.

    Raises:
        Timeout: it has not come within ``wait_timeout`` seconds.
        NotFound: the VM is gone.
    """
    what = options.wait_for or "ip"
    port = 22 if what == "ssh" else options.wait_port
    end, pause = time.monotonic() + options.wait_timeout, 0.2
    while True:
        vm = _look(hypervisor, name)
        address = vm.network.ip_address
        if what == "agent" and vm.agent_connected:
            return vm
        if address and (what == "ip" or (port and _answers(address, port, what == "ssh"))):
            return vm
        if vm.status not in ("running", "paused") or time.monotonic() > end:
            break
        time.sleep(pause)
        pause = min(pause * 1.3, 2.0)
    seconds = options.wait_timeout
    state = "" if vm.status == "running" else f" (it is {vm.status})"
    raise Timeout(
        f"it runs, but {_missing(what, port, address)} in {seconds} s{state}",
        on=f"VM {name!r} on {hypervisor.uri}",
        hint=_HINTS[what],
    )


def _missing(what: str, port: int | None, address: str | None) -> str:
    if what == "agent":
        return "its agent has not answered"
    if address is None or what == "ip":
        return "it has no address"
    return f"port {port} of {address} has not answered"


def _look(hypervisor: Hypervisor, name: str) -> Vm:
    found = read_vms(hypervisor, VmQuery(names=(literal(name),), fields=frozenset({"addresses"})))
    exact = [vm for vm in found if vm.name == name]
    if not exact:
        raise NotFound("it is gone", on=f"VM {name!r} on {hypervisor.uri}")
    return exact[0]


def _answers(address: str, port: int, banner: bool) -> bool:
    """Whether a TCP port is open (and, for SSH, says who it is: RFC 4253, 4.2)."""
    try:
        with socket.create_connection((address, port), timeout=2) as connection:
            return not banner or connection.recv(4).startswith(b"SSH")
    except OSError:
        return False
