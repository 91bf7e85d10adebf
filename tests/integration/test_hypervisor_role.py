# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""roles/hypervisor on a fresh Debian with systemd, and what it would do on other distributions."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import libvirt
import pytest

from hostler import Fleet
from hostler.config import FleetConfig

from . import molecule
from .conftest import PLAYBOOK, ROOT, Results

pytestmark = pytest.mark.timeout(600)  # machines are set up by many small steps

SCRIPT = ROOT / "tests" / "rigs" / "machine" / "machine.sh"
NET = f"10.93.{crc32(str(ROOT).encode()) % 250}"
HERE, THERE, STRANGER = f"{NET}.1", f"{NET}.2", f"{NET}.77"
LOCK = ROOT / ".cache" / "rigs" / "machine.lock"

Run = Callable[..., Results]

FAKE = """
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({"name": {"type": "list"}, "state": {}}, supports_check_mode=True)
module.exit_json(changed=True, wanted=module.params["name"])
"""


def rig(*words: str) -> str:
    done = subprocess.run(
        [SCRIPT, *words],
        env={**os.environ, "HOSTLER_RIG_NET": NET},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{SCRIPT} {words}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def install(package: str) -> None:
    words = "DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install"
    rig("exec", "sh", "-c", f"{words} {package}")


@pytest.fixture(scope="module")
def machine() -> Iterator[str]:
    """A fresh machine for the tests of this file, in their order; its first process."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        rig("up")
        yield rig("pid")
        rig("down")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The control node's certificates and its pool, for the tests in their order."""
    return tmp_path_factory.mktemp("control")


@pytest.fixture
def run(machine: str, place: Path, environment: dict[str, str], tmp_path: Path) -> Run:
    """Run the role, or one of its parts; returns the result of each task by its name."""
    (tmp_path / "library").mkdir()
    for name in ("dnf", "dnf5"):
        (tmp_path / "library" / f"{name}.py").write_text(FAKE)
    inventory = "machine ansible_connection=machine ansible_python_interpreter=/usr/bin/python3\n"
    (tmp_path / "inventory").write_text(inventory)
    usual = {
        "hypervisor_address": THERE,
        "hypervisor_pki_dir": str(place / "pki"),
        "hypervisor_cache_valid_time": 10**8,  # it has no network: its lists are as they are
    }

    def play(
        *words: str, part: str = "main", facts: dict[str, str] | None = None, **wanted: Any
    ) -> Results:
        role = {"name": "hostler.fleet.hypervisor", "tasks_from": part}
        known: dict[str, Any] = {"ansible.builtin.set_fact": {**(facts or {}), "cacheable": True}}
        tasks: list[dict[str, Any]] = [known] if facts else []
        tasks.append({"ansible.builtin.include_role": role})
        book = {"hosts": "machine", "gather_facts": False, "tasks": tasks}
        (tmp_path / "play.yml").write_text(json.dumps([book]))
        results = Path(environment["HOSTLER_TEST_RESULTS"])
        results.unlink(missing_ok=True)
        command: list[str | Path] = [
            *(PLAYBOOK, tmp_path / "play.yml", "-i", tmp_path / "inventory", "--diff"),
            *("-e", json.dumps({**usual, **wanted}), *words),
        ]
        more = {
            "ANSIBLE_PIPELINING": "true",
            "HOSTLER_TEST_MACHINE": machine,
            "HOSTLER_STORE": f"sqlite:///{place}/pool.db",
        }
        done = subprocess.run(
            command, env={**environment, **more}, capture_output=True, text=True, check=False
        )
        (tmp_path / "output.txt").write_text(done.stdout + done.stderr)
        assert "Traceback" not in done.stdout + done.stderr
        assert results.exists(), done.stdout + done.stderr
        told = [json.loads(line) for line in results.read_text().splitlines()]
        return {name.rpartition(" : ")[2]: result for name, result in told}

    return play


def changed(told: Results) -> list[str]:
    assert not [result for result in told.values() if result.get("failed")], told
    return [name for name, result in told.items() if result.get("changed")]


def items(told: Results, task: str) -> list[Any]:
    return [result["item"] for result in told[task]["results"]]


MODULAR = {
    "Listen on the sockets of the modular daemons",
    "Start with the machine what starts networks and VMs",
}
MONOLITHIC = {
    "Listen on the sockets of libvirtd",
    "Start libvirtd with the machine, so that it starts networks and VMs",
}


@pytest.mark.parametrize(
    ("distribution", "family", "major", "manager", "packages", "modular"),
    [
        ("Ubuntu", "Debian", "24", "apt", {"libvirt-daemon-system", "ovmf"}, False),
        ("AlmaLinux", "RedHat", "9", "dnf", {"libvirt", "qemu-kvm", "edk2-ovmf"}, True),
        ("Rocky", "RedHat", "8", "dnf", {"libvirt", "qemu-kvm", "edk2-ovmf"}, False),
        ("Fedora", "RedHat", "41", "dnf5", {"libvirt", "qemu-kvm", "edk2-ovmf"}, True),
    ],
)
def test_what_it_would_do_elsewhere(
    run: Run,
    distribution: str,
    family: str,
    major: str,
    manager: str,
    packages: set[str],
    modular: bool,
) -> None:
    facts = {
        "distribution": distribution,
        "os_family": family,
        "distribution_major_version": major,
        "architecture": "x86_64",
        "pkg_mgr": manager,
        "service_mgr": "systemd",
    }
    told = run("--check", facts=facts, hypervisor_access="tcp")
    done = set(changed(told))
    assert done >= (MODULAR if modular else MONOLITHIC)
    assert not done & (MONOLITHIC if modular else MODULAR)
    if manager != "apt":
        assert packages <= set(told["Install"]["wanted"])
    daemon = "virtproxyd" if modular else "libvirtd"
    assert items(told, "Listen") == [f"{daemon}.socket", f"{daemon}-tcp.socket"]
    if modular:
        sockets = items(told, "Listen on the sockets of the modular daemons")
        assert len(sockets) == 8 * 3


@pytest.mark.parametrize(
    ("facts", "wanted", "words"),
    [
        ({"distribution": "Alpine", "os_family": "Alpine"}, {}, "Alpine with systemd is not known"),
        ({"service_mgr": "sysvinit"}, {}, "with sysvinit is not known"),
        ({}, {"hypervisor_access": "carrier pigeon"}, "hypervisor_access"),
        ({}, {"hypervisor_access": "tcp", "hypervisor_tcp_auth": "none"}, "in the clear"),
        ({}, {"hypervisor_firewall": "ufw"}, "hypervisor_firewall_sources"),
        (
            {"distribution": "AlmaLinux", "os_family": "RedHat", "pkg_mgr": "dnf"},
            {"hypervisor_libvirt_exporter": True},
            "AlmaLinux has no package of libvirt_exporter",
        ),
    ],
)
def test_what_is_refused(
    run: Run, facts: dict[str, str], wanted: dict[str, Any], words: str
) -> None:
    usual = {
        "distribution": "Debian",
        "os_family": "Debian",
        "distribution_major_version": "12",
        "architecture": "x86_64",
        "pkg_mgr": "apt",
        "service_mgr": "systemd",
    }
    told = run("--check", facts={**usual, **facts}, **wanted)
    last = list(told.values())[-1]
    assert last["failed"]
    assert words in json.dumps(last)


def test_check_mode_touches_nothing(run: Run, place: Path) -> None:
    before = rig("exec", "find", "/etc", "/usr", "/var/lib/dpkg", "-newer", "/etc/hostname")
    told = run("--check", hypervisor_access="tls")
    assert {"Install with apt", "Listen", *MONOLITHIC} <= set(changed(told))
    after = rig("exec", "find", "/etc", "/usr", "/var/lib/dpkg", "-newer", "/etc/hostname")
    assert after == before
    assert list(place.iterdir()) == []


def test_scenario(machine: str, place: Path, environment: dict[str, str]) -> None:
    """A fresh machine, by TLS; then the same once more, by Molecule."""
    more = {
        "HOSTLER_TEST_ADDRESS": THERE,
        "HOSTLER_TEST_CONNECTION": "machine",
        "HOSTLER_TEST_MACHINE": machine,
        "HOSTLER_TEST_PKI": str(place / "pki"),
    }
    molecule.scenarios({**environment, **more}, "hypervisor")


def test_in_check_mode_nothing_is_left_to_do(run: Run) -> None:
    wanted = {"hypervisor_access": "tls", "hypervisor_labels": {"rack": "r1"}}
    told = run("--check", hypervisor_id="hostler-machine", hypervisor_register=False, **wanted)
    assert changed(told) == []


def test_certificates_are_made_anew_in_time(run: Run, place: Path) -> None:
    told = run(part="access", hypervisor_access="tls", hypervisor_tls_renew_days=5000)
    assert {"Sign the certificate", "Sign the control node's certificate"} <= set(changed(told))
    assert "Restart the libvirt daemon" in told
    libvirt.open(f"qemu+tls://{THERE}/system?pkipath={place}/pki").close()


def test_certificates_that_are_given(run: Run, place: Path, tmp_path: Path) -> None:
    pki = place / "pki"
    given, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    request: list[str | Path] = ["openssl", "req", "-newkey", "ed25519", "-nodes", "-subj", "/CN=x"]
    subprocess.run([*request, "-keyout", key, "-out", tmp_path / "csr"], check=True)
    (tmp_path / "ext").write_text(f"subjectAltName=IP:{THERE}")
    sign: list[str | Path] = ["openssl", "x509", "-req", "-in", tmp_path / "csr", "-days", "2"]
    sign += ["-CA", pki / "cacert.pem", "-CAkey", pki / "cakey.pem", "-extfile", tmp_path / "ext"]
    subprocess.run([*sign, "-out", given], check=True)
    wanted = {
        "hypervisor_access": "tls",
        "hypervisor_tls_ca_cert": str(pki / "cacert.pem"),
        "hypervisor_tls_cert": str(given),
        "hypervisor_tls_key": str(key),
    }
    told = run(part="access", **wanted)
    assert "Install the certificates that are given" in changed(told)
    assert key.read_text() not in json.dumps(told)
    assert rig("exec", "cat", "/etc/pki/libvirt/servercert.pem") == given.read_text().strip()
    libvirt.open(f"qemu+tls://{THERE}/system?pkipath={pki}").close()
    assert changed(run(part="access", **wanted)) == []


def test_by_ssh(run: Run, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    wanted = {
        "hypervisor_access": "ssh",
        "hypervisor_ssh_user": "fleet",
        "hypervisor_ssh_keys": [key.with_suffix(".pub").read_text().strip()],
        "hypervisor_uri": f"qemu+ssh://fleet@{THERE}/system?keyfile={key}&no_verify=1",
    }
    told = run(**wanted)
    assert {"Let the user of ssh use libvirt", "Register it as a host"} <= set(changed(told))
    assert "libvirt" in rig("exec", "id", "-nG", "fleet").split()
    assert changed(run(**wanted)) == []


def test_by_tcp_with_nftables_and_exporters(run: Run) -> None:
    wanted = {
        "hypervisor_access": "tcp",
        "hypervisor_tcp_auth": "none",
        "hypervisor_listen_address": THERE,
        "hypervisor_firewall": "nftables",
        "hypervisor_firewall_sources": [f"{HERE}/32", "fd00::/8"],
        "hypervisor_firewall_migration": True,
        "hypervisor_node_exporter": True,
        "hypervisor_libvirt_exporter": True,
        "hypervisor_extra_packages": ["nftables"],
    }
    told = run(**wanted)
    assert {"Load them", "Listen", "Register it as a host"} <= set(changed(told))
    assert changed(run(**wanted)) == []
    link = f"hm{NET.replace('.', '')}"
    subprocess.run(["ip", "address", "add", f"{STRANGER}/32", "dev", link], check=True)
    for port in (9100, 9177):
        socket.create_connection((THERE, port), 5, (STRANGER, 0)).close()
    socket.create_connection((THERE, 16509), 5, (HERE, 0)).close()
    with pytest.raises(TimeoutError):
        socket.create_connection((THERE, 16509), 1, (STRANGER, 0))


VM = """
<domain type='qemu'><name>{name}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type><loader type='rom'>/root/halt.rom</loader></os>
  <devices><controller type='usb' model='none'/>
    <interface type='network'><source network='switch' {portgroup}/></interface></devices>
</domain>
"""


def test_ports_on_open_vswitch(machine: str, place: Path) -> None:
    """VLANs of a network and its portgroups reach the switch; in user space, without its module."""
    rom = (ROOT / ".cache" / "guest" / "halt.rom").read_bytes()
    Path(f"/proc/{machine}/root/root/halt.rom").write_bytes(rom)
    install("openvswitch-switch")
    rig("exec", "sh", "-c", "ovs-vsctl add-br br0 -- set bridge br0 datapath_type=netdev")
    # What a container lacks: cgroups that can be written, a home that QEMU may enter.
    settings = ("cgroup_controllers = [ ]", "namespaces = [ ]", 'user = "root"', 'group = "root"')
    lines = "\n".join(settings)
    rig("exec", "sh", "-c", f"echo '{lines}' >> /etc/libvirt/qemu.conf")
    rig("exec", "systemctl", "restart", "libvirtd")
    uri = f"qemu+tcp://{THERE}/system"
    office = {"name": "office", "default": True, "vlans": [10]}
    wish: dict[str, Any] = {"name": "switch", "mode": "openvswitch", "bridge": "br0"}
    wish |= {"portgroups": [office, {"name": "all", "vlans": [10, 20]}]}
    with Fleet(FleetConfig(store=f"sqlite:///{place}/pool.db"), uri=uri) as fleet:
        assert fleet.networks.run([wish])[0].error is None
        assert not fleet.networks.run([wish])[0].changed
    connection = libvirt.open(uri)
    for name, portgroup in (("one", ""), ("two", "portgroup='all'")):
        connection.createXML(VM.format(name=name, portgroup=portgroup))
    shown = " ".join(rig("exec", "ovs-vsctl", "show").split())
    assert "Port vnet0 tag: 10 Interface vnet0" in shown
    assert "Port vnet1 trunks: [10, 20] Interface vnet1" in shown
    for domain in connection.listAllDomains():
        domain.destroy()
    connection.close()
    assert "vnet" not in rig("exec", "ovs-vsctl", "show")


@pytest.mark.parametrize("firewall", ["ufw", "firewalld"])
def test_other_firewalls(run: Run, firewall: str) -> None:
    install(firewall)
    wanted = {
        "part": "firewall",
        "hypervisor_access": "tls",
        "hypervisor_firewall": firewall,
        "hypervisor_firewall_sources": [f"{NET}.0/24", "fd00::/8"],
        "hypervisor_firewall_migration": True,
    }
    assert "Let the sources in" in changed(run(**wanted))
    shown = {"ufw": ["ufw", "show", "added"], "firewalld": ["firewall-cmd", "--list-rich-rules"]}
    rules = rig("exec", *shown[firewall])
    assert [rules.count(text) for text in (f"{NET}.0/24", "fd00::/8", "16514")] == [2, 2, 2]
    assert changed(run(**wanted)) == []
