# SPDX-License-Identifier: Apache-2.0
"""How a graphics server is reached from here, by its host's libvirt URI; pure."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from hostler.models.console import Via

LOCAL = "127.0.0.1"


@dataclass(frozen=True)
class Way:
    """A way to a graphics server.

    Attributes:
        via: directly to ``host``; by ssh, where ``host`` is as seen from there; or by libvirt.
        host: None where the server can't be reached.
        ssh: the command that leads to the host, without what is wanted there.
    """

    via: Via
    host: str | None
    ssh: tuple[str, ...] = ()

    def tunnel(self, port: int) -> list[str]:
        """Return the command whose input and output are a connection to a port."""
        host = f"[{self.host}]" if ":" in (self.host or "") else self.host
        return [*self.ssh[:-1], "-W", f"{host}:{port}", "--", self.ssh[-1]]


def way_to(uri: str, listen: str | None) -> Way:
    """Find the way to a server that listens on an address at a hypervisor.

    An address of "any" is reached at the host's own; that of a loopback only from the host itself.
    """
    parts = urlsplit(uri)
    transport = parts.scheme.partition("+")[2]
    if not parts.hostname:
        return Way("libvirt", LOCAL if _is(listen, "loopback", "any") else listen)
    if "ssh" in transport:
        return Way("ssh", LOCAL if _is(listen, "loopback", "any") else listen, _ssh(uri))
    if _is(listen, "loopback"):
        return Way("direct", None)
    return Way("direct", parts.hostname if _is(listen, "any") else listen)


def _is(listen: str | None, *kinds: str) -> bool:
    """Whether an address is of a loopback, or stands for any; QEMU's default is the loopback."""
    try:
        address = ip_address(listen or LOCAL)
    except ValueError:
        return listen == "localhost" and "loopback" in kinds
    return ("loopback" in kinds and address.is_loopback) or (
        "any" in kinds and address.is_unspecified
    )


def _ssh(uri: str) -> tuple[str, ...]:
    """Return the ssh command for a URI, as libvirt builds it; the host is last.

    Source: https://libvirt.org/uri.html#ssh-transport
    """
    parts = urlsplit(uri)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    words = [options.get("command", "ssh"), "-T", "-o", "BatchMode=yes"]
    if parts.port:
        words += ["-p", str(parts.port)]
    if parts.username:
        words += ["-l", parts.username]
    if "keyfile" in options:
        words += ["-i", options["keyfile"]]
    if options.get("no_verify") == "1":
        words += ["-o", "StrictHostKeyChecking=no"]
    return (*words, parts.hostname or "")
