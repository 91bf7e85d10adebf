# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory hostler.fleet.vms of a real hypervisor."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import libvirt
import libvirt_qemu
import pytest
import yaml

from .conftest import PREFIX, ROOT, URI
from .lockstep import Lockstep

pytestmark = pytest.mark.usefixtures("clean")

ANSIBLE = Path(sys.executable).parent
GUEST = ROOT / ".cache" / "guest"
READ_ONLY_SOCKETS = ("libvirt-sock-ro", "virtqemud-sock-ro")

Inventory = dict[str, Any]
Write = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]
Define = Callable[..., libvirt.virDomain]


@pytest.fixture
def connection() -> Iterator[libvirt.virConnect]:
    connection = libvirt.open(URI)
    yield connection
    connection.close()


@pytest.fixture
def define(connection: libvirt.virConnect) -> Define:
    """Define a VM; `labels` go into its metadata."""

    def define(
        name: str, *, labels: dict[str, str] | None = None, devices: str = "", system: str = ""
    ) -> libvirt.virDomain:
        made = "".join(
            f"<hostler:label name='{escape(key)}'>{escape(value)}</hostler:label>"
            for key, value in (labels or {}).items()
        )
        return connection.defineXML(
            f"<domain type='qemu'><name>{PREFIX}{name}</name>"
            "<metadata><hostler:vm xmlns:hostler='https://hostler.dev/vm/1'>"
            f"<hostler:os type='linux' version='Debian 12'/>{made}</hostler:vm></metadata>"
            "<memory unit='MiB'>128</memory><vcpu>1</vcpu>"
            f"<os><type arch='x86_64' machine='q35'>hvm</type>{system}</os>"
            "<features><acpi/></features>"
            f"<devices><controller type='usb' model='none'/>{devices}</devices></domain>"
        )

    return define


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write an inventory file of the tests' VMs."""

    def write(**options: Any) -> Path:
        config = {"plugin": "hostler.fleet.vms", "uri": URI, "names": [f"{PREFIX}*"], **options}
        path = tmp_path / "it.hostler.yml"
        path.write_text(yaml.safe_dump(config))
        return path

    return write


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """Run a program of Ansible's; what it wrote is left to the caller to judge."""

    def run(program: str, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ANSIBLE / program, *arguments],
            env={**environment, **more},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def listing(run: Run, write: Write) -> Callable[..., Inventory]:
    """Return what `ansible-inventory --list` says, and fail with what it warned of."""

    def listing(**options: Any) -> Inventory:
        done = run("ansible-inventory", "-i", write(**options), "--list")
        assert "WARNING" not in done.stderr, done.stderr
        assert done.returncode == 0, done.stderr
        return parsed(done.stdout)

    return listing


def parsed(output: str) -> Inventory:
    """Read what `ansible-inventory --list` wrote, where strings may be marked as unsafe."""
    document = output[output.index("{") :]
    return dict(json.loads(document, object_hook=lambda part: part.get("__ansible_unsafe", part)))


def hosts(inventory: Inventory) -> dict[str, Any]:
    return {
        name.removeprefix(PREFIX): variables
        for name, variables in inventory["_meta"]["hostvars"].items()
    }


def members(inventory: Inventory, group: str) -> list[str]:
    return sorted(name.removeprefix(PREFIX) for name in inventory.get(group, {}).get("hosts", []))


def test_hosts_have_the_vms_as_a_variable(
    define: Define, listing: Callable[..., Inventory], connection: libvirt.virConnect
) -> None:
    network = "<interface type='network'><mac address='52:54:00:00:00:99'/>"
    domain = define(
        "one",
        labels={"role": "web"},
        devices=f"{network}<source network='default'/></interface>",
    )
    domain.setAutostart(1)
    assert hosts(listing())["one"] == {
        "hostler_vm": {
            "name": f"{PREFIX}one",
            "uuid": domain.UUIDString(),
            "status": "stopped",
            "uri": URI,
            "host": connection.getHostname(),
            "cpu_cores": 1,
            "memory_mb": 128,
            "autostart": True,
            "os_type": "linux",
            "os_version": "Debian 12",
            "labels": {"role": "web"},
            "interfaces": {"52:54:00:00:00:99": "default"},
        }
    }


def test_groups_and_constructed_options(define: Define, listing: Callable[..., Inventory]) -> None:
    define("one", labels={"role": "web", "stage": "prod"})
    define("two", labels={"role": "db server"})
    inventory = listing(
        group_by=["status", "os_type", "labels"],
        keyed_groups=[{"key": "hostler_vm.labels.stage | default('none')", "prefix": "stage"}],
        groups={"small": "hostler_vm.memory_mb < 1024"},
        compose={"megabytes": "hostler_vm.memory_mb"},
        strict=True,
    )
    assert members(inventory, "status_stopped") == ["one", "two"]
    assert members(inventory, "os_type_linux") == ["one", "two"]
    assert members(inventory, "label_role_web") == ["one"]
    assert members(inventory, "label_role_db_server") == ["two"]
    assert members(inventory, "stage_prod") == ["one"]
    assert members(inventory, "stage_none") == ["two"]
    assert members(inventory, "small") == ["one", "two"]
    assert hosts(inventory)["one"]["megabytes"] == 128


def test_filters_and_names(define: Define, listing: Callable[..., Inventory]) -> None:
    define("one", labels={"role": "web", "fqdn": "one.example.com"})
    define("two", labels={"role": "db"})
    define("three")
    assert set(hosts(listing(labels={"role": "*"}))) == {"one", "two"}
    assert set(hosts(listing(exclude_labels={"role": "db"}))) == {"one", "three"}
    assert set(hosts(listing(names=[f"{PREFIX}t*"]))) == {"two", "three"}
    assert set(hosts(listing(exclude_names=["*two", "*one"]))) == {"three"}
    assert set(hosts(listing(states=["stopped"]))) == {"one", "two", "three"}
    assert set(hosts(listing(hostnames=["label:fqdn", "name"]))) == {
        *("one.example.com", "two", "three"),
    }


def test_what_a_vm_says_is_never_a_template(define: Define, run: Run, write: Write) -> None:
    define("one", labels={"note": "{{ 6 * 7 }}"})
    message = json.dumps({"msg": "it says {{ hostler_vm.labels.note }}"})
    done = run("ansible", "-i", write(), "all", "-m", "ansible.builtin.debug", "-a", message)
    assert "it says {{ 6 * 7 }}" in done.stdout


def test_reading_needs_no_right_to_write(define: Define, listing: Callable[..., Inventory]) -> None:
    if not URI.endswith(":///system"):
        pytest.fail(f"this test needs a local hypervisor, not {URI}: unset HOSTLER_TEST_URI")
    define("one")
    sockets = [Path("/run/libvirt", name) for name in READ_ONLY_SOCKETS]
    path = next(socket for socket in sockets if socket.is_socket())
    assert "one" in hosts(listing(uri=f"qemu+unix:///system?socket={path}"))


def test_no_password_is_told(define: Define, listing: Callable[..., Inventory]) -> None:
    define("one", devices="<graphics type='vnc' passwd='geheim42'/>")
    inventory = listing(xml=True)
    assert "<graphics type='vnc'" in hosts(inventory)["one"]["hostler_vm"]["xml"]
    assert "geheim42" not in json.dumps(inventory)


def test_the_cache_answers_without_libvirt(
    define: Define, run: Run, write: Write, tmp_path: Path
) -> None:
    cache = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(tmp_path)}
    define("one", labels={"role": "web"})
    asked = run("ansible-inventory", "-i", write(**cache), "--list", PYTHONPROFILEIMPORTTIME="1")
    kept = run("ansible-inventory", "-i", write(**cache), "--list", PYTHONPROFILEIMPORTTIME="1")
    assert kept.stdout == asked.stdout
    for module in ("libvirt", "lxml", "hostler"):
        assert module in imports(asked.stderr)
        assert module not in imports(kept.stderr)
    define("two")
    assert run("ansible-inventory", "-i", write(**cache), "--list").stdout == kept.stdout
    changed = run("ansible-inventory", "-i", write(**cache, xml=True), "--list")
    assert set(hosts(parsed(changed.stdout))) == {"one", "two"}
    flushed = run("ansible-inventory", "-i", write(**cache, xml=True), "--list", "--flush-cache")
    assert set(hosts(parsed(flushed.stdout))) == {"one", "two"}


def imports(report: str) -> set[str]:
    """Return the packages named in what python -X importtime wrote."""
    lines = (line for line in report.splitlines() if line.startswith("import time:"))
    return {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in lines}


@pytest.fixture
def silent() -> Iterator[str]:
    """A host that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"qemu+tcp://127.0.0.1:{server.getsockname()[1]}/system"


def test_a_host_that_does_not_answer_is_a_warning(
    define: Define, run: Run, write: Write, silent: str, tmp_path: Path
) -> None:
    define("one")
    cache = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(tmp_path / "c")}
    path = write(uri=[URI, silent, "qemu+tcp://127.0.0.1:1/system"], timeout=1, **cache)
    done = run("ansible-inventory", "-i", path, "--list")
    assert set(hosts(parsed(done.stdout))) == {"one"}
    warnings = " ".join(done.stderr.split())
    assert f"hypervisor {silent}: no answer in 1 s." in warnings
    assert "'127.0.0.1:1': Connection refused." in warnings
    assert warnings.count("Its VMs are missing in the inventory.") == 2
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "c").glob("*")) == []  # half an answer is not kept


@pytest.mark.parametrize("options", [{"strict_hosts": True}, {"uri": []}])
def test_a_host_that_does_not_answer_may_be_an_error(
    define: Define, run: Run, write: Write, silent: str, options: dict[str, Any]
) -> None:
    """With strict_hosts, and where no host answers at all."""
    define("one")
    path = write(**{"uri": [URI], "timeout": 1, **options})
    config = yaml.safe_load(path.read_text())
    path = write(**{**config, "uri": [*config["uri"], silent]})
    done = run(
        "ansible-inventory", "-i", path, "--list", ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1"
    )
    assert done.returncode != 0
    assert f"hypervisor {silent}: no answer in 1 s." in " ".join(done.stderr.split())


def test_round_trips_do_not_grow_with_the_vms(run: Run, write: Write) -> None:
    """Counted on the wire. A busy machine may break one burst of calls into two."""
    uri = rig_uris()[0]
    far = urlsplit(uri)
    connection = libvirt.open(uri)
    counted: list[tuple[int, int]] = []
    try:
        for total in (4, 100):
            for number in range(len(counted) * 4, total):
                connection.defineXML(
                    f"<domain type='qemu'><name>{PREFIX}rt-{number}</name>"
                    "<memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>"
                )
            with Lockstep(str(far.hostname), far.port or 16509) as proxy:
                path = write(uri=f"qemu+tcp://127.0.0.1:{proxy.port}/system")
                done = run("ansible-inventory", "-i", path, "--list")
                counted.append((len(hosts(parsed(done.stdout))), proxy.round_trips))
    finally:
        remove(connection)
    (few, trips), (many, more_trips) = counted
    assert (few, many) == (4, 100)
    assert trips > 2
    assert more_trips <= trips + 2, counted


def test_vms_of_one_name_on_two_hosts_are_told_apart(run: Run, write: Write) -> None:
    connections = [libvirt.open(uri) for uri in rig_uris()]
    try:
        for connection in connections:
            connection.defineXML(
                f"<domain type='qemu'><name>{PREFIX}twin</name>"
                "<memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>"
            )
        path = write(uri=rig_uris(), group_by=["host"])
        done = run("ansible-inventory", "-i", path, "--list")
        names = [connection.getHostname() for connection in connections]
        inventory = parsed(done.stdout)
        assert set(hosts(inventory)) == {f"twin@{name}" for name in names}
        for name in names:
            group = inventory[f"host_{name.replace('-', '_')}"]
            assert group["hosts"] == [f"{PREFIX}twin@{name}"]
        assert f"2 VMs have the name '{PREFIX}twin'" in " ".join(done.stderr.split())
    finally:
        for connection in connections:
            remove(connection)


def rig_uris() -> list[str]:
    """Return the URIs of the two hosts of the rig."""
    script = ROOT / "tests" / "rigs" / "libvirt" / "hosts.sh"
    status = subprocess.run([script, "status"], capture_output=True, text=True, check=True)
    up = [line.split()[1] for line in status.stdout.splitlines() if line.endswith(" up")]
    assert len(up) >= 2, "two hosts are needed; run: make rig-libvirt"
    return up[:2]


def remove(connection: libvirt.virConnect) -> None:
    for domain in connection.listAllDomains():
        if domain.name().startswith(PREFIX):
            domain.undefine()
    connection.close()


@pytest.fixture
def guest(define: Define) -> Iterator[libvirt.virDomain]:
    """A real guest whose agent answers."""
    assert (GUEST / "vmlinuz").exists(), "there is no guest; run: make setup"
    system = (
        f"<kernel>{GUEST}/vmlinuz</kernel><initrd>{GUEST}/initrd.img</initrd>"
        "<cmdline>console=ttyS0 quiet panic=1 tsc=reliable net.ifnames=0</cmdline>"
    )
    devices = (
        "<interface type='network'><mac address='52:54:00:11:22:33'/><source network='default'/>"
        "<model type='virtio'/></interface>"
        "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
        "<serial type='pty'/>"
    )
    domain = define("guest", devices=devices, system=system)
    domain.create()
    until(lambda: bool(leased(domain)) and leased(domain) <= told(domain))
    yield domain
    domain.destroy()


def leased(domain: libvirt.virDomain) -> set[str]:
    """Addresses that the DHCP server has given a guest."""
    cards = domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE)
    return {address["addr"] for card in cards.values() for address in card["addrs"]}


def told(domain: libvirt.virDomain) -> set[str]:
    """Addresses that a guest has set up: later than its lease."""
    cards = agent(domain, "guest-network-get-interfaces") or []
    return {a["ip-address"] for card in cards for a in card.get("ip-addresses", [])}


def agent(domain: libvirt.virDomain, command: str, **arguments: Any) -> Any:
    """Ask the guest agent; None where it does not answer."""
    request = json.dumps({"execute": command, "arguments": arguments})
    try:
        return json.loads(libvirt_qemu.qemuAgentCommand(domain, request, 2, 0))["return"]
    except libvirt.libvirtError:
        return None


def until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 90
    while not ready():
        assert time.monotonic() < end, "the guest is not ready"
        time.sleep(0.2)


def test_a_real_guest_is_reached_by_its_address(
    guest: libvirt.virDomain, run: Run, write: Write
) -> None:
    def ask(**options: Any) -> tuple[dict[str, Any], str]:
        done = run("ansible-inventory", "-v", "-i", write(**options), "--list")
        return hosts(parsed(done.stdout))["guest"], done.stdout + done.stderr

    leased, _warnings = ask()
    addresses = leased["hostler_vm"]["addresses"]
    assert leased["hostler_vm"]["status"] == "running"
    assert leased["ansible_host"] in addresses["lease"]
    assert "agent" not in addresses

    told, _warnings = ask(agent=True)
    assert told["hostler_vm"]["addresses"]["agent"] == addresses["lease"]
    assert told["ansible_host"] == leased["ansible_host"]

    none, _warnings = ask(address_networks=["203.0.113.0/24"])
    assert "ansible_host" not in none

    agent(guest, "guest-exec", path="/bin/sh", arg=["-c", "kill -STOP $(pidof qemu-ga)"])
    until(lambda: agent(guest, "guest-ping") is None)
    hung, said = ask(agent=True, agent_timeout=1)
    assert hung["hostler_vm"]["addresses"]["agent"] is None
    assert hung["ansible_host"] == leased["ansible_host"]
    assert "agent addresses of" in said
