# SPDX-License-Identifier: Apache-2.0
"""Where consoles are by a domain's XML, and how they are reached."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.sync.client import connect

from hostler import Fleet
from hostler.consoles.proxy import ConsoleProxy
from hostler.consoles.read import consoles_of
from hostler.consoles.target import Target
from hostler.consoles.ways import Way, way_to
from hostler.errors import InvalidInput, NotFound, Unreachable

SSH = ("ssh", "-T", "-o", "BatchMode=yes")


@pytest.mark.parametrize(
    ("uri", "listen", "way"),
    [
        ("qemu:///system", None, Way("libvirt", "127.0.0.1")),
        ("qemu:///system", "10.0.0.5", Way("libvirt", "10.0.0.5")),
        ("qemu+unix:///system?socket=/run/x", "0.0.0.0", Way("libvirt", "127.0.0.1")),  # noqa: S104
        ("qemu+ssh://kvm1/system", "127.0.0.1", Way("ssh", "127.0.0.1", (*SSH, "kvm1"))),
        ("qemu+ssh://kvm1/system", "::", Way("ssh", "127.0.0.1", (*SSH, "kvm1"))),
        ("qemu+ssh://kvm1/system", "10.0.0.5", Way("ssh", "10.0.0.5", (*SSH, "kvm1"))),
        (
            "qemu+ssh://root@kvm1:2222/system?command=/opt/ssh&keyfile=/k%20y&no_verify=1",
            None,
            Way(
                "ssh",
                "127.0.0.1",
                (
                    *("/opt/ssh", *SSH[1:], "-p", "2222", "-l", "root", "-i", "/k y"),
                    *("-o", "StrictHostKeyChecking=no", "kvm1"),
                ),
            ),
        ),
        ("qemu+libssh2://kvm1/system", None, Way("ssh", "127.0.0.1", (*SSH, "kvm1"))),
        ("qemu+tls://kvm1/system", "127.0.0.1", Way("direct", None)),
        ("qemu+tls://kvm1/system", "localhost", Way("direct", None)),
        ("qemu+tcp://kvm1/system", "0.0.0.0", Way("direct", "kvm1")),  # noqa: S104
        ("qemu+tcp://kvm1/system", "10.0.0.5", Way("direct", "10.0.0.5")),
        ("qemu://kvm1/system", "vnc.example.com", Way("direct", "vnc.example.com")),
    ],
)
def test_ways(uri: str, listen: str | None, way: Way) -> None:
    assert way_to(uri, listen) == way


def test_tunnel() -> None:
    way = way_to("qemu+ssh://root@kvm1/system", "::1")
    assert way.tunnel(5900) == [*SSH, "-l", "root", "-W", "127.0.0.1:5900", "--", "kvm1"]
    way = way_to("qemu+ssh://-oProxyCommand=x/system", "fd00::5")
    assert way.tunnel(5901)[-4:-1] == ["-W", "[fd00::5]:5901", "--"]


XML = """
<domain><devices>{}
  <graphics type='vnc' port='5901' listen='10.0.0.5' passwd='geheim'/>
  <graphics type='spice' port='5902' tlsPort='5903'><listen type='address'/></graphics>
  <graphics type='vnc' port='-1'><listen type='socket' socket='/run/vnc'/></graphics>
  <graphics type='egl-headless'/>
</devices></domain>
"""
SERIAL = "<serial type='pty'><source path='/dev/pts/7'/></serial>"


def test_consoles_of_a_running_vm() -> None:
    xml = XML.format(SERIAL)
    vnc, spice, unix, serial = consoles_of(
        "web", "qemu+tls://kvm1/system", xml, running=True, secure=False
    )
    assert (vnc.host, vnc.port, vnc.tls, vnc.has_password) == ("10.0.0.5", 5901, None, None)
    assert (spice.host, spice.port, spice.tls_port, spice.tls) == (None, 5902, 5903, True)
    assert (unix.host, unix.port, unix.via) == (None, None, "libvirt")
    assert (serial.type, serial.tty, serial.port) == ("serial", "/dev/pts/7", None)


def test_consoles_of_a_stopped_vm() -> None:
    for console in consoles_of("web", "qemu:///system", XML.format(""), running=False, secure=True):
        assert (console.host, console.port, console.tls, console.tty) == (None, None, None, None)
        assert console.has_password == (console.password is not None)


def test_the_test_driver_has_none() -> None:
    with Fleet(uri="test:///default") as fleet:
        assert fleet.consoles.info("test") == []
        with pytest.raises(NotFound, match="no SPICE server"):
            fleet.consoles.opener("test", "spice")
        picture = fleet.consoles.screenshot("test")
    assert picture.startswith(b"\x89PNG")


@pytest.mark.fault
def test_a_proxy_that_can_not_listen(tmp_path: Path) -> None:
    with ConsoleProxy() as proxy:
        assert proxy.wait(0)
        with pytest.raises(Unreachable, match="can't listen there"):
            ConsoleProxy(port=proxy.address[1])
    with pytest.raises(InvalidInput, match="can't use the certificate"):
        ConsoleProxy(cert=tmp_path / "none.pem")


@pytest.mark.slow
@pytest.mark.fault
def test_a_console_needs_a_terminal() -> None:
    program = str(Path(sys.executable).parent / "hostler")
    done = subprocess.run(
        [program, "--uri", "test:///default", "vm", "console", "test"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs a terminal" in done.stderr


@pytest.mark.slow
def test_wss(tmp_path: Path) -> None:
    pem = tmp_path / "self.pem"
    make = "openssl req -x509 -newkey ed25519 -nodes -days 2 -subj /CN=localhost -keyout"
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    command = [*make.split(), str(pem), "-out", str(tmp_path / "cert.pem"), *names]
    subprocess.run(command, check=True, capture_output=True)
    ours, theirs = socket.socketpair()
    trusted = ssl.create_default_context(cafile=tmp_path / "cert.pem")
    with ConsoleProxy(cert=tmp_path / "cert.pem", key=pem) as proxy:
        url = proxy.offer(lambda: Target(theirs, None))
        assert url.startswith("wss://127.0.0.1:")
        with connect(url, ssl=trusted, subprotocols=["binary"]) as client:  # type: ignore[list-item]
            client.send(b"there")
            assert ours.recv(100) == b"there"
            ours.sendall(b"and back")
            assert client.recv(10) == b"and back"
            ours.close()
        assert proxy.wait(10)
