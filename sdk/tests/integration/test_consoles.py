# SPDX-License-Identifier: Apache-2.0
"""Consoles of real VMs: VNC and SPICE through the proxy, the serial port, the screen."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from hostler import Fleet
from hostler.backends.libvirt.console import CHUNK
from hostler.consoles.proxy import ConsoleProxy
from hostler.errors import BackendError, Conflict, HostlerError, NotFound

from .conftest import MakeFleet
from .rig import GUEST_INSIDE, ROOT, Rig

SECRET = "S3cret-x"
XML = """
<domain type='qemu'>
  <name>{name}</name><memory unit='MiB'>{memory}</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type>{boot}</os><features><acpi/></features>
  <devices>
    <serial type='pty'/><video><model type='vga'/></video>
    <graphics type='vnc' autoport='yes' listen='127.0.0.1'/>
    <graphics type='spice' autoport='yes' listen='0.0.0.0' passwd='{secret}'/>
  </devices>
</domain>
"""
HALTS = f"<loader type='rom'>{GUEST_INSIDE}/halt.rom</loader>"
BOOTS = (
    f"<kernel>{GUEST_INSIDE}/vmlinuz</kernel><initrd>{GUEST_INSIDE}/initrd.img</initrd>"
    "<cmdline>console=tty0 console=ttyS0 quiet panic=1 tsc=reliable</cmdline>"
)
RFB = b"RFB 003.008\n"


@pytest.fixture
def web(host: Rig, connection: libvirt.virConnect) -> libvirt.virDomain:  # noqa: ARG001 - empty
    """A VM with VNC, SPICE and a serial port, which does nothing."""
    domain = connection.defineXML(XML.format(name="web", memory=32, boot=HALTS, secret=SECRET))
    domain.create()
    return domain


@pytest.fixture
def guest(host: Rig, connection: libvirt.virConnect) -> libvirt.virDomain:  # noqa: ARG001 - empty
    """A guest with a shell on its serial port."""
    domain = connection.defineXML(XML.format(name="guest", memory=192, boot=BOOTS, secret=SECRET))
    domain.create()
    return domain


@pytest.fixture
def proxy(fleet: Fleet) -> Iterator[ConsoleProxy]:
    with fleet.consoles.proxy() as proxy:
        yield proxy


# Where they are.


def test_info(fleet: Fleet, web: libvirt.virDomain, host: Rig) -> None:
    vnc, spice, serial = fleet.consoles.info("web")
    assert (vnc.type, vnc.port, vnc.listen, vnc.via, vnc.host) == (
        "vnc",
        5900,
        "127.0.0.1",
        "direct",
        None,
    )
    assert (spice.type, spice.port, spice.host) == ("spice", 5901, f"{host.net}.1")
    assert (spice.tls, spice.password, spice.has_password) == (False, None, None)
    assert serial.type == "serial"
    assert str(serial.tty).startswith("/dev/pts/")
    web.destroy()
    off = fleet.consoles.info("web")
    assert [(c.running, c.port, c.tty) for c in off] == [(False, None, None)] * 3
    with pytest.raises(NotFound):
        fleet.consoles.info("nobody")


def test_password_only_on_request(fleet: Fleet, web: libvirt.virDomain) -> None:  # noqa: ARG001
    vnc, spice, _ = fleet.consoles.info("web", password=True)
    assert (vnc.has_password, vnc.password) == (False, None)
    assert spice.has_password
    assert spice.password
    assert spice.password.get_secret_value() == SECRET
    assert SECRET not in repr(spice) + spice.model_dump_json()


# Through the proxy.


def local(host: Rig) -> str:
    """The host's own libvirt, as its own users reach it."""
    pid = (ROOT / ".cache/rigs/libvirt" / host.net / host.host / "init.pid").read_text().strip()
    return f"qemu:///system?socket=/proc/{pid}/root/run/libvirt/libvirt-sock"


def by_ssh(host: Rig) -> str:
    host.hosts("ssh")
    command = ROOT / ".cache/rigs/libvirt" / host.net / "access" / "ssh"
    return f"qemu+ssh://root@{host.net}.1/system?command={command}"


def browser(url: str) -> ClientConnection:
    return connect(url, subprotocols=["binary"], open_timeout=20)  # type: ignore[list-item]


def read(client: ClientConnection, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = client.recv(10)
        assert isinstance(part, bytes)
        data += part
    return data


def handshake(client: ClientConnection) -> str:
    """Shake hands as RFC 6143, 7.1 to 7.3 says; returns the desktop's name."""
    assert client.subprotocol == "binary"
    assert read(client, 12) == RFB
    client.send(RFB)
    assert read(client, 2) == b"\x01\x01"  # one security type: none
    client.send(b"\x01")
    assert read(client, 4) == bytes(4)
    client.send(b"\x01")
    told = read(client, 24)
    (size,) = struct.unpack(">I", told[20:24])
    return (told[24:] + read(client, size - len(told[24:]))).decode()


@pytest.mark.parametrize("uri", [local, by_ssh], ids=["libvirt", "ssh"])
def test_vnc(
    host: Rig,
    web: libvirt.virDomain,  # noqa: ARG001 - runs
    make_fleet: MakeFleet,
    proxy: ConsoleProxy,
    uri: Callable[[Rig], str],
) -> None:
    fleet = make_fleet(uri(host))
    url = proxy.offer(fleet.consoles.opener("web"))
    assert url.startswith("ws://127.0.0.1:")
    with browser(url) as client:
        assert handshake(client) == "QEMU (web)"
        assert not proxy.wait(0)
    assert proxy.wait(10)


def test_spice(fleet: Fleet, web: libvirt.virDomain, proxy: ConsoleProxy) -> None:  # noqa: ARG001
    """The first messages of https://www.spice-space.org/spice-protocol.html, "link"."""
    link = struct.pack("<IBBIII", 0, 1, 0, 0, 0, 18)
    with browser(proxy.offer(fleet.consoles.opener("web", "spice"))) as client:
        client.send(struct.pack("<4sIII", b"REDQ", 2, 2, len(link)) + link)
        magic, major = struct.unpack("<4sI", read(client, 16)[:8])
    assert (magic, major) == (b"REDQ", 2)


@pytest.mark.fault
def test_a_token_lets_in_once(
    make_fleet: MakeFleet,
    host: Rig,
    web: libvirt.virDomain,  # noqa: ARG001 - runs
    proxy: ConsoleProxy,
) -> None:
    url = proxy.offer(make_fleet(local(host)).consoles.opener("web"))
    with browser(url) as client:
        assert read(client, 12) == RFB
        for bad in (url, url[:-1], url.partition("?")[0]):
            with pytest.raises(InvalidStatus, match="403"):
                browser(bad)
        client.send(RFB)
        assert read(client, 2) == b"\x01\x01"


@pytest.mark.fault
def test_where_nobody_can_come(
    fleet: Fleet,
    web: libvirt.virDomain,
    proxy: ConsoleProxy,
) -> None:
    """By TCP the loopback of a host is not reached: it is said how it would be."""
    with pytest.raises(InvalidStatus) as refused:
        browser(proxy.offer(fleet.consoles.opener("web")))
    assert refused.value.response.status_code == 502
    assert b"qemu+ssh://" in refused.value.response.body
    opener = fleet.consoles.opener("web", "spice")
    web.destroy()
    with pytest.raises(InvalidStatus, match="502"):
        browser(proxy.offer(opener))
    with pytest.raises(Conflict, match="does not run"):
        fleet.consoles.opener("web")
    assert proxy.wait(10)


@pytest.mark.fault
def test_a_vm_that_stops_ends_the_session(
    make_fleet: MakeFleet, host: Rig, web: libvirt.virDomain, proxy: ConsoleProxy
) -> None:
    with browser(proxy.offer(make_fleet(local(host)).consoles.opener("web"))) as client:
        handshake(client)
        web.destroy()
        with pytest.raises(ConnectionClosed):
            client.recv(10)
    assert proxy.wait(10)


@pytest.mark.fault
def test_ssh_that_fails_ends_the_session(
    make_fleet: MakeFleet,
    host: Rig,
    web: libvirt.virDomain,  # noqa: ARG001 - runs
    proxy: ConsoleProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The log-in that libvirt had is lost before the browser comes."""
    uri = by_ssh(host)
    opener = make_fleet(uri).consoles.opener("web")
    monkeypatch.setattr("hostler.consoles.ways._ssh", lambda _: ("false", "nowhere"))
    with browser(proxy.offer(opener)) as client, pytest.raises(ConnectionClosed):
        client.recv(20)
    assert proxy.wait(10)


def test_no_such_server(fleet: Fleet, connection: libvirt.virConnect) -> None:
    connection.defineXML(
        "<domain type='qemu'><name>bare</name><memory>65536</memory><os><type "
        "arch='x86_64'>hvm</type></os></domain>"
    )
    with pytest.raises(NotFound, match="no VNC server"):
        fleet.consoles.opener("bare")


def test_the_commands(
    host: Rig,
    web: libvirt.virDomain,  # noqa: ARG001 - runs
    tmp_path: Path,
) -> None:
    hostler = [str(Path(sys.executable).parent / "hostler"), "--uri", local(host), "vm"]

    def run(*words: str) -> str:
        done = subprocess.run([*hostler, *words], capture_output=True, text=True, check=True)
        return done.stdout

    assert SECRET not in run("vnc", "web", "--spice") + run("vnc", "web", "--spice", "--json")
    assert SECRET in run("vnc", "web", "--spice", "--show-password")
    assert json.loads(run("vnc", "web", "--json"))[0]["port"] == 5900
    picture = tmp_path / "web.png"
    assert str(picture) in run("screenshot", "web", str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")
    command = [*hostler, "vnc", "web", "--proxy", "--json", "--listen", "::1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        text = "".join(process.stdout.readline() for _ in range(6))
        (offer,) = json.loads(text)
        assert offer["url"].startswith("ws://[::1]:")
        with browser(offer["url"]) as client:
            assert handshake(client) == "QEMU (web)"
        assert process.wait(20) == 0


# The screen.


def test_screenshot(fleet: Fleet, web: libvirt.virDomain) -> None:
    with Image.open(io.BytesIO(fleet.consoles.screenshot("web"))) as picture:
        assert picture.format == "PNG"
        assert picture.size in {(640, 480), (720, 400)}  # before and after the card is set up
    web.destroy()
    with pytest.raises(HostlerError, match="not running"):
        fleet.consoles.screenshot("web")


# The serial port.


class Terminal:
    """A terminal of our own, with 'hostler vm console' in it."""

    def __init__(self, uri: str, *words: str) -> None:
        program = str(Path(sys.executable).parent / "hostler")
        self.output = b""
        self.file, self._far = pty.openpty()
        self.before = termios.tcgetattr(self._far)
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            for number in (0, 1, 2):
                os.dup2(self._far, number)
            os.execv(program, [program, "--uri", uri, "--no-color", "vm", "console", *words])

    def read(self, wanted: bytes, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while wanted not in self.output:
            assert time.monotonic() < end, self.output
            if select.select([self.file], [], [], 0.2)[0]:
                self.output += os.read(self.file, CHUNK)

    def type(self, data: bytes) -> None:
        os.write(self.file, data)

    def ended(self) -> int:
        """Wait for the program; its terminal is as it was."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if select.select([self.file], [], [], 0.1)[0]:
                self.output += os.read(self.file, CHUNK)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                assert termios.tcgetattr(self._far) == self.before
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(self.output)


@pytest.fixture
def terminal(host: Rig) -> Iterator[Callable[..., Terminal]]:
    made: list[Terminal] = []

    def make(*words: str) -> Terminal:
        made.append(Terminal(host.uri, *words))
        return made[-1]

    yield make
    for one in made:
        os.close(one.file)
        os.close(one._far)


@pytest.mark.slow
@pytest.mark.fault
def test_a_shell_in_the_terminal(
    terminal: Callable[..., Terminal], guest: libvirt.virDomain, fleet: Fleet, host: Rig
) -> None:
    """One boot: typing, ^], somebody else who has it, being ended, a daemon that dies."""
    first = terminal("guest")
    first.read(b"Leave with ^]")
    first.read(b"/ # ")
    first.type(b"echo a$((40+2))b\r")
    first.read(b"a42b\r\n")
    with pytest.raises(BackendError, match="Active console session"):
        fleet.consoles.serial("guest")
    first.type(b"\x1d")
    assert first.ended() == 0
    with Image.open(io.BytesIO(fleet.consoles.screenshot("guest"))) as picture:
        assert picture.size == (720, 400)
        assert len(picture.getcolors(1000) or ()) > 1

    held = terminal("guest")
    held.read(b"Leave with ^]")
    time.sleep(0.5)
    taker = fleet.consoles.serial("guest", force=True)
    assert held.ended() == 1
    assert b"the console ended" in held.output
    _much(taker.socket)
    taker.close()

    killed = terminal("guest")
    killed.read(b"Leave with ^]")
    time.sleep(0.5)
    os.kill(killed.pid, signal.SIGTERM)
    assert killed.ended() == 128 + signal.SIGTERM

    orphan = terminal("guest")
    orphan.read(b"Leave with ^]")
    time.sleep(0.5)
    host.kill_daemon()
    assert orphan.ended() == 1
    host.restart_daemon()

    with libvirt.open(host.uri) as again:
        last = terminal("guest")
        last.read(b"Leave with ^]")
        time.sleep(0.5)
        again.lookupByUUIDString(guest.UUIDString()).destroy()
        assert last.ended() == 1


def _much(peer: socket.socket) -> None:
    """Have the guest print much while nobody reads: nothing of it is lost."""
    peer.sendall(b"stty -echo; seq 1 5000; echo en''d\r")
    time.sleep(1)
    data = b""
    peer.settimeout(30)
    while b"end\r\n" not in data:
        data += peer.recv(CHUNK)
    numbers = [int(line) for line in data.split(b"\r\n") if line.isdigit()]
    assert numbers == list(range(1, 5001))


@pytest.mark.fault
def test_no_terminal_and_no_vm(
    terminal: Callable[..., Terminal], web: libvirt.virDomain, fleet: Fleet
) -> None:
    nobody = terminal("nobody")
    assert nobody.ended() == 1
    assert b"nobody" in nobody.output
    web.destroy()
    off = terminal("web")
    assert off.ended() == 1
    assert b"not running" in off.output
    with pytest.raises(HostlerError, match="not running"):
        fleet.consoles.serial("web")
