# SPDX-License-Identifier: Apache-2.0
"""Reads the consoles of a domain from its XML; pure."""

from __future__ import annotations

from lxml import etree
from pydantic import SecretStr

from hostler.consoles.ways import way_to
from hostler.models.console import Console


def consoles_of(vm: str, uri: str, xml: str, *, running: bool, secure: bool) -> list[Console]:
    """Return the graphics servers of a domain in their order, then its serial port.

    ``secure`` says that the XML has passwords.
    """
    tree = etree.fromstring(xml.encode())
    found = [
        _graphics(vm, uri, graphics, running=running, secure=secure)
        for graphics in tree.iterfind("devices/graphics")
        if graphics.get("type") in ("vnc", "spice")
    ]
    serial = tree.find("devices/serial")
    if serial is not None:
        source = serial.find("source")
        tty = source.get("path") if source is not None and running else None
        found.append(Console(vm=vm, type="serial", running=running, tty=tty))
    return found


def _graphics(
    vm: str, uri: str, graphics: etree._Element, *, running: bool, secure: bool
) -> Console:
    listener = graphics.find("listen")
    unix = listener is not None and listener.get("type") in ("socket", "none")
    listen = listener.get("address") if listener is not None else graphics.get("listen")
    way = way_to(uri, listen)
    password = graphics.get("passwd")
    kind = graphics.get("type")
    return Console(
        vm=vm,
        type="vnc" if kind == "vnc" else "spice",
        running=running,
        host=None if unix or not running else way.host,
        port=_port(graphics.get("port")) if running else None,
        tls_port=_port(graphics.get("tlsPort")) if running else None,
        listen=listen,
        via="libvirt" if unix else way.via,
        tls=_port(graphics.get("tlsPort")) is not None if kind == "spice" and running else None,
        has_password=password is not None if secure else None,
        password=SecretStr(password) if password is not None else None,
    )


def _port(text: str | None) -> int | None:
    return int(text) if text and int(text) > 0 else None
