# SPDX-License-Identifier: Apache-2.0
"""The other devices of a domain: graphics, video, console, agent, TPM, watchdog, PCI devices."""

from __future__ import annotations

from lxml import etree
from pydantic import SecretStr

from hostler.models.devices import Graphics, HostDevice, SerialConsole, Tpm, Watchdog
from hostler.models.vm import VmSpec
from hostler.vms.domain.editor import Editor, Live
from hostler.vms.domain.tree import (
    AGENT,
    Element,
    add,
    attr,
    devices,
    ensure,
    parse,
    put,
    remove,
    serialise,
)


def edit_extras(editor: Editor, spec: VmSpec) -> None:
    """Bring the devices that are not disks or network cards to what is wanted."""
    if spec.graphics is not None:
        _edit_graphics(editor, spec.graphics)
    if spec.video is not None and spec.video.model != attr(
        editor.tree, "devices/video/model", "type"
    ):
        model = spec.video.model
        editor.change("video", lambda: _set_video(editor.tree, model))
    if not editor.running and editor.tree.find("devices/graphics") is not None:
        _add_screen(editor.tree)
    if spec.console is not None:
        _edit_console(editor, spec.console)
    if spec.agent is not None and spec.agent != has_agent(editor.tree):
        _edit_agent(editor, on=spec.agent)
    if spec.rng is not None and spec.rng != (editor.tree.find("devices/rng") is not None):
        _edit_rng(editor, on=spec.rng)
    if spec.tpm is not None:
        _edit_tpm(editor, spec.tpm or None)
    if spec.watchdog is not None:
        _edit_watchdog(editor, spec.watchdog or None)
    for device in spec.host_devices:
        _edit_hostdev(editor, device)


def wanted_password(spec: VmSpec) -> SecretStr | None:
    """Return the graphics password that a spec asks for, in a field or in its XML."""
    given = next((g.password for g in spec.graphics or () if g.password), None)
    if given is None and spec.xml is not None:
        given = take_password(parse(spec.xml, f"xml of VM {spec.name!r}"))
    return given


def take_password(tree: Element) -> SecretStr | None:
    """Take the graphics passwords out of a tree: they are secrets; returns the first."""
    found = [e.attrib.pop("passwd") for e in tree.iterfind("devices/graphics[@passwd]")]
    return SecretStr(found[0]) if found else None


def _edit_graphics(editor: Editor, wanted: tuple[Graphics, ...]) -> None:
    parent = devices(editor.tree)
    types = {g.type for g in wanted}
    for have in parent.findall("graphics"):
        if have.get("type") not in types:
            editor.change("graphics", lambda h=have: _drop_server(parent, h))  # type: ignore[misc]
    for graphics in wanted:
        if graphics.type == "none":
            continue
        found = parent.find(f"graphics[@type='{graphics.type}']")
        if found is None:
            made = _made_graphics(graphics)
            editor.change("graphics", lambda m=made: parent.append(m))  # type: ignore[misc]
        else:
            _edit_server(editor, found, graphics)


def _drop_server(parent: Element, server: Element) -> None:
    """Remove a graphics server; what speaks through SPICE can't be without it."""
    parent.remove(server)
    if server.get("type") == "spice":
        for device in parent.xpath("*[@type='spicevmc'] | audio[@type='spice']"):
            parent.remove(device)


def _made_graphics(graphics: Graphics) -> Element:
    element = etree.Element("graphics", type=graphics.type)
    _set_port(element, graphics.port if graphics.port is not None else -1)
    _set_listen(element, graphics.listen or "127.0.0.1")
    return element


def _edit_server(editor: Editor, server: Element, wanted: Graphics) -> None:
    have_listen = attr(server, "listen", "address") or server.get("listen")
    if wanted.listen is not None and wanted.listen != have_listen:
        listen = wanted.listen
        editor.change("graphics.listen", lambda: _set_listen(server, listen))
    auto = server.get("autoport") == "yes"
    if wanted.port is None:
        return
    port = wanted.port
    if (port == -1 and not auto) or (port != -1 and (auto or server.get("port") != str(port))):
        editor.change("graphics.port", lambda: _set_port(server, port))


def _set_port(server: Element, port: int) -> None:
    put(server, port=str(port), autoport="yes" if port == -1 else "no")


def _set_listen(server: Element, address: str) -> None:
    put(server, listen=address)
    listen = ensure(server, "listen")
    put(listen, type="address", address=address)


def _add_screen(tree: Element) -> None:
    """Give a domain with graphics a video card: libvirt's own choice is the old cirrus."""
    if tree.find("devices/video") is None:
        x86 = attr(tree, "os/type", "arch") in ("x86_64", "i686")
        _set_video(tree, "vga" if x86 else "virtio")


def _set_video(tree: Element, model: str) -> None:
    remove(tree, "devices/video")
    add(add(devices(tree), "video"), "model", type=model)


def _edit_console(editor: Editor, wanted: SerialConsole) -> None:
    have = editor.tree.find("devices/serial")
    if not wanted.enabled:
        if have is not None:
            editor.change("console", lambda: _drop_serial(editor.tree))
        return
    if have is None:
        editor.change("console", lambda: _add_serial(editor.tree))
    log = wanted.log
    if log is not None and log != attr(editor.tree, "devices/serial/log", "file"):

        def edit() -> None:
            serial = ensure(editor.tree, "devices/serial")
            put(ensure(serial, "log"), file=log, append="on")
            console = editor.tree.find("devices/console/log")
            if console is not None:  # libvirt copies it into the first console
                put(console, file=log, append="on")

        editor.change("console.log", edit)


def _add_serial(tree: Element) -> None:
    serial = add(devices(tree), "serial", type="pty")
    add(serial, "target", port="0")


def _drop_serial(tree: Element) -> None:
    for tag in ("serial", "console"):
        for element in tree.findall(f"devices/{tag}"):
            element.getparent().remove(element)


def has_agent(tree: Element) -> bool:
    """Whether a domain has the guest agent's channel."""
    return any(t.get("name") == AGENT for t in tree.iterfind("devices/channel/target"))


def _edit_agent(editor: Editor, *, on: bool) -> None:
    if on:
        channel = etree.Element("channel", type="unix")
        add(channel, "target", type="virtio", name=AGENT)
        live = Live("attach", serialise(channel))
        editor.change("agent", lambda: devices(editor.tree).append(channel), live)
        return
    for channel in editor.tree.findall("devices/channel"):
        if attr(channel, "target", "name") == AGENT:
            editor.change("agent", lambda c=channel: c.getparent().remove(c))  # type: ignore[misc]


def _edit_rng(editor: Editor, *, on: bool) -> None:
    def edit() -> None:
        if not on:
            remove(editor.tree, "devices/rng")
            return
        rng = add(devices(editor.tree), "rng", model="virtio")
        add(rng, "backend", "/dev/urandom", model="random")

    editor.change("rng", edit)


def _edit_tpm(editor: Editor, wanted: Tpm | None) -> None:
    have = editor.tree.find("devices/tpm")
    same = (
        have is not None
        and wanted is not None
        and have.get("model") == wanted.model
        and attr(have, "backend", "version") == wanted.version
    )
    if same or (have is None and wanted is None):
        return

    def edit() -> None:
        remove(editor.tree, "devices/tpm")
        if wanted is not None:
            tpm = add(devices(editor.tree), "tpm", model=wanted.model)
            add(tpm, "backend", type="emulator", version=wanted.version)

    editor.change("tpm", edit)


def _edit_watchdog(editor: Editor, wanted: Watchdog | None) -> None:
    found = [
        w
        for w in editor.tree.iterfind("devices/watchdog")
        if not (w.get("model") == "itco" and (wanted is None or wanted.model != "itco"))
    ]  # q35 machines always have an itco of their own
    have = found[0] if found else None
    same = (
        have is not None
        and wanted is not None
        and (have.get("model"), have.get("action")) == (wanted.model, wanted.action)
    )
    if same or (have is None and wanted is None):
        return

    def edit() -> None:
        if have is not None:
            have.getparent().remove(have)
        if wanted is not None:
            add(devices(editor.tree), "watchdog", model=wanted.model, action=wanted.action)

    editor.change("watchdog", edit)


def hostdev_address(element: Element) -> str | None:
    """Return the host's PCI address of a device, None for other kinds."""
    address = element.find("source/address")
    if element.get("type") != "pci" or address is None:
        return None
    parts = [int(address.get(n, "0"), 16) for n in ("domain", "bus", "slot", "function")]
    return "{:04x}:{:02x}:{:02x}.{:x}".format(*parts)


def _edit_hostdev(editor: Editor, wanted: HostDevice) -> None:
    found = [
        h for h in editor.tree.iterfind("devices/hostdev") if hostdev_address(h) == wanted.address
    ]
    name = f"host_devices.{wanted.address}"
    if wanted.state == "absent":
        for element in found:
            xml = serialise(element)
            live = Live("detach", xml, xml)
            editor.change(name, lambda e=element: e.getparent().remove(e), live)  # type: ignore[misc]
    elif not found:
        made = _made_hostdev(wanted)
        live = Live("attach", serialise(made))
        editor.change(name, lambda: devices(editor.tree).append(made), live)


def _made_hostdev(wanted: HostDevice) -> Element:
    managed = "yes" if wanted.managed else "no"
    element = etree.Element("hostdev", mode="subsystem", type="pci", managed=managed)
    domain, bus, rest = wanted.address.split(":")
    slot, function = rest.split(".")
    add(
        add(element, "source"),
        "address",
        domain=f"0x{domain}",
        bus=f"0x{bus}",
        slot=f"0x{slot}",
        function=f"0x{function}",
    )
    return element
