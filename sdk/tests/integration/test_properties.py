# SPDX-License-Identifier: Apache-2.0
"""What check mode says is what the run does, for generated domains and wanted VMs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libvirt
import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from lxml import etree

from hostler import Fleet
from hostler.models.vm_task import VmResult
from hostler.vms.domain.metadata import NAMESPACE
from hostler.vms.domain.osinfo import NAMESPACE as OSINFO
from hostler.vms.domain.read import document
from hostler.vms.domain.tree import parse

from . import pairs
from .rig import GUEST_INSIDE, Rig
from .state import differences, dump, sweep

TEST = "test:///default"
_SETTINGS = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    report_multiple_bugs=False,
    print_blob=False,
)
ROM = f"{GUEST_INSIDE}/halt.rom"


@pytest.fixture(scope="module")
def qemu(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A fleet on the isolated host, for many examples."""
    sweep(rig.uri)
    with _fleet(rig.uri, tmp_path_factory) as fleet:
        yield fleet
    sweep(rig.uri)


def _fleet(uri: str, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    from hostler.config import FleetConfig

    store = f"sqlite:///{tmp_path_factory.mktemp('journal')}/journal.db"
    return Fleet(FleetConfig(store=store), uri=uri)


@given(data=st.data())
@settings(_SETTINGS, max_examples=60)
def test_stopped_domain_on_qemu(qemu: Fleet, data: st.DataObject) -> None:
    have = data.draw(pairs.qemu_domains(running=False, rom=ROM))
    _hold(qemu, have, data.draw(pairs.wanted_vms(have)))


@pytest.mark.slow
@given(data=st.data())
@settings(_SETTINGS, max_examples=12)
def test_running_domain_on_qemu(qemu: Fleet, data: st.DataObject) -> None:
    have = data.draw(pairs.qemu_domains(running=True, rom=ROM))
    _hold(qemu, have, data.draw(pairs.wanted_vms(have)))


@given(data=st.data())
@settings(_SETTINGS, max_examples=60)
def test_stopped_domain_on_the_test_driver(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    have = data.draw(pairs.test_domains(running=False))
    with _fleet(TEST, tmp_path_factory) as fleet:
        _hold(fleet, have, data.draw(pairs.wanted_vms(have, devices=False)))


@given(data=st.data())
@settings(_SETTINGS, max_examples=40)
def test_running_domain_on_the_test_driver(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    have = data.draw(pairs.test_domains(running=True))
    with _fleet(TEST, tmp_path_factory) as fleet:
        _hold(fleet, have, data.draw(pairs.wanted_vms(have, devices=False)))


@given(wanted=pairs.new_vms())
@settings(_SETTINGS, max_examples=30)
def test_new_vm_on_qemu(qemu: Fleet, wanted: dict[str, Any]) -> None:
    sweep(qemu.uri)
    _agree(qemu, wanted)


def _hold(fleet: Fleet, have: pairs.Existing, wanted: dict[str, Any]) -> None:
    """Define what is there, then hold every promise about bringing it to what is wanted."""
    connection = libvirt.open(fleet.uri)
    try:
        sweep(fleet.uri, pairs.NAME)
        pool = None if fleet.uri == TEST else connection.storagePoolLookupByName("default")
        for target in have.disks if pool else ():
            _volume(pool, f"{pairs.NAME}-{target}.qcow2")
        if pool:
            _volume(pool, f"{pairs.NAME}-a.iso")
            _volume(pool, f"{pairs.NAME}-b.iso")
        domain = connection.defineXML(have.xml)
        if have.running:
            domain.create()
        before = _inactive(domain)
        result = _agree(fleet, wanted)
        after = _inactive(domain)
        gone = {n["mac"] for n in wanted.get("networks", ()) if n.get("state") == "absent"}
        _same_identity(before, after, gone if result.error is None else set())
        assert unmodelled(before) == unmodelled(after)
        inside = inside_devices(after)
        was = inside_devices(before)
        assert {k: v for k, v in was.items() if k in inside} == {
            k: inside[k] for k in was if k in inside
        }
    finally:
        sweep(fleet.uri, pairs.NAME)
        connection.close()


def _agree(fleet: Fleet, wanted: dict[str, Any]) -> VmResult:
    """Check, run and run again; the check must have told it all, and touched nothing."""
    state = dump(fleet.uri)
    [said] = fleet.vms.run([wanted], check=True)
    assert differences(state, dump(fleet.uri)) == [], "check mode touched something"
    [done] = fleet.vms.run([wanted])
    if said.error or done.error:
        event("refused")
        assert said.error == done.error, f"check said {said.error!r}, the run {done.error!r}"
        assert differences(state, dump(fleet.uri)) == [], "a failed run left something behind"
        return done
    event("changed" if done.changed else "unchanged")
    assert done.changed == said.changed
    assert _shape(done) == _shape(said)
    assert (dump(fleet.uri) != state) == said.changed
    assert _now(fleet, said) == _modulo(said.after)
    state = dump(fleet.uri)
    for check in (True, False):
        [again] = fleet.vms.run([wanted], check=check)
        assert (again.changed, again.error) == (False, None), again.plan
        assert _modulo(again.after) == _modulo(again.before) == _modulo(said.after)
    assert differences(state, dump(fleet.uri)) == [], "a second run changed something"
    return done


def _shape(result: VmResult) -> tuple[Any, ...]:
    plan = result.plan
    assert plan is not None
    kinds = [command.split()[3] for command in plan.commands]
    pending = (result.restart_required, result.changes_pending, plan.warnings)
    return kinds, result.before, _modulo(result.after), pending


def _modulo(after: dict[str, Any]) -> dict[str, Any]:
    """Put cards whose address a preview can't know in place of their addresses."""
    cards = after.get("networks", {})
    old = {m for m in cards if m.startswith("52:54:00:aa:bb:") or m == "52:54:00:ee:00:01"}
    fresh = sorted(str(card) for mac, card in cards.items() if mac not in old)
    return {**after, "networks": ({m: cards[m] for m in old}, fresh)}


def _now(fleet: Fleet, said: VmResult) -> dict[str, Any]:
    """Return the domain's document as it is now."""
    hypervisor = fleet.hypervisor()
    state = hypervisor.domains.read([pairs.NAME])[pairs.NAME]
    tree = parse(state.inactive_xml)
    sizes = {}
    for target, disk in said.after.get("disks", {}).items():
        if "size" in disk:
            path = tree.xpath("string(devices/disk[target/@dev=$t]/source/@file)", t=target)
            volume = hypervisor.volumes.find_path(path)
            assert volume is not None
            sizes[target] = volume.capacity
    found = {"name": state.name, **document(tree, sizes)}
    found |= {"status": state.status, "autostart": state.autostart}
    if "changes_pending" in said.after:
        found["changes_pending"] = said.after["changes_pending"]
        assert fleet.vms.get(pairs.NAME).changes_pending == said.after["changes_pending"]
    return _modulo(found)


def _volume(pool: Any, name: str) -> None:
    kind = "qcow2" if name.endswith("qcow2") else "raw"
    pool.createXML(
        f"<volume><name>{name}</name><capacity unit='MiB'>2</capacity>"
        f"<target><format type='{kind}'/></target></volume>"
    )


def _inactive(domain: libvirt.virDomain) -> Any:
    flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
    return etree.fromstring(domain.XMLDesc(flags))


def _same_identity(before: Any, after: Any, gone: set[str]) -> None:
    assert after.findtext("uuid") == before.findtext("uuid")
    old = before.xpath("devices/interface/mac/@address")
    new = after.xpath("devices/interface/mac/@address")
    assert new[: len(old)] == [mac for mac in old if mac not in gone][: len(new)] or gone
    assert set(old) - gone <= set(new)


_MODELLED = {
    "name", "uuid", "title", "description", "metadata", "memory", "currentMemory", "vcpu",
    "os", "cpu", "devices", "features",
}  # fmt: skip
_MODELLED_DEVICES = {
    "disk", "interface", "graphics", "video", "serial", "console", "rng", "tpm", "watchdog",
    "hostdev", "controller", "audio",
}  # fmt: skip
_AGENT = "org.qemu.guest_agent.0"


def unmodelled(tree: Any) -> list[str]:
    """Return all that we don't model of a domain, as libvirt writes it."""
    found = [_text(e) for e in tree if _local(e) not in _MODELLED]
    ours = (f"{{{NAMESPACE}}}vm", f"{{{OSINFO}}}libosinfo")
    found += [_text(e) for e in tree.iterfind("metadata/*") if e.tag not in ours]
    for element in tree.find("devices"):
        agent = element.xpath("string(target/@name)") == _AGENT
        if (
            _local(element) not in _MODELLED_DEVICES
            and not agent
            and element.get("type") != "spicevmc"
        ):
            found.append(_text(element))
    found += [_text(e) for e in tree.iterfind("devices/serial/alias")]
    found += [_text(e) for e in tree.iterfind("os/bootmenu")]
    return found


def inside_devices(tree: Any) -> dict[str, list[str]]:
    """Return what we don't model of disks and cards, by target and address."""
    found = {}
    for disk in tree.iterfind("devices/disk"):
        parts = [_text(e) for e in disk if e.tag in ("iotune", "alias", "address")]
        found[disk.find("target").get("dev")] = [*parts, disk.xpath("string(driver/@io)")]
    for card in tree.iterfind("devices/interface"):
        parts = [_text(e) for e in card if e.tag in ("filterref", "address")]
        found[card.find("mac").get("address")] = parts
    return found


def _local(element: Any) -> str:
    return str(etree.QName(element).localname)


def _text(element: Any) -> str:
    return etree.tostring(element, with_tail=False, encoding="unicode")
