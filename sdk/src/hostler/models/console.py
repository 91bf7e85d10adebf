# SPDX-License-Identifier: Apache-2.0
"""Console: a way to a VM's screen or serial port."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr

from hostler.models.vm_view import View

ConsoleType = Literal["vnc", "spice", "serial"]
Via = Literal["direct", "ssh", "libvirt"]


class Console(View):
    """A console as it was found.

    Attributes:
        vm: the VM's name.
        type: VNC, SPICE, or the serial port.
        running: whether the VM runs; only then a console is there.
        host: where to connect to from here; None where it can't be reached without help.
        port, tls_port: its ports; None where it has none, or the VM is off.
        listen: the address that it listens on, at its host.
        via: how it is reached: directly, by ssh, or only by libvirt itself.
        tls: whether it speaks TLS; None for VNC, where the host's qemu.conf tells.
        has_password: None where the password was not asked for.
        password: read only on request.
        tty: of a serial port: the terminal at the host.
    """

    vm: str
    type: ConsoleType
    running: bool
    host: str | None = None
    port: int | None = None
    tls_port: int | None = None
    listen: str | None = None
    via: Via = "libvirt"
    tls: bool | None = None
    has_password: bool | None = None
    password: SecretStr | None = None
    tty: str | None = None
