# SPDX-License-Identifier: Apache-2.0
"""Events of libvirt's test driver: what is told, in which words, and what a full feed does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import libvirt
import pytest

from hostler import Fleet
from hostler.backends.libvirt.event_words import LIFECYCLE, STATE_REASONS
from hostler.backends.libvirt.events import _TELLERS, EventFeed, Told
from hostler.events.stream import EventStream
from hostler.models.event import TYPES, Event

pytestmark = pytest.mark.slow

URI = "test:///default"
XML = "<domain type='test'><name>{}</name><memory>8192</memory><os><type>hvm</type></os></domain>"


@pytest.fixture(autouse=True)
def _nobody_else_listens() -> None:
    """Wait until earlier streams are closed.

    All connections of the test driver share one timer, which libvirt 9.0 may lose when one of them
    stops to listen while another begins; those to real hypervisors each have their own.
    """
    until = time.monotonic() + 30
    while any(thread.name == "events" for thread in threading.enumerate()):
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def domain() -> Iterator[libvirt.virDomain]:
    connection = libvirt.open(URI)
    domain = connection.defineXML(XML.format("watched"))
    yield domain
    if domain.isActive():
        domain.destroy()
    domain.undefine()
    connection.close()


@pytest.fixture
def stream(domain: libvirt.virDomain) -> Iterator[EventStream]:  # noqa: ARG001 - is there first
    with Fleet(uri=URI) as fleet:
        events = fleet.events(vms=["watched"])
        first = events.get(10)
        assert first
        assert (first.type, first.data["new_status"]) == ("host.status.changed", "active")
        yield events


def following(stream: EventStream, count: int) -> list[Event]:
    found = [stream.get(5) for _ in range(count)]
    assert all(found), found
    return [one for one in found if one]


def test_a_life(stream: EventStream, domain: libvirt.virDomain) -> None:
    domain.create()
    domain.suspend()
    domain.resume()
    domain.destroy()
    told = following(stream, 4)
    assert [(e.data["old_status"], e.data["new_status"], e.data["reason"]) for e in told] == [
        ("stopped", "running", "booted"),
        ("running", "paused", "user"),
        ("paused", "running", "unpaused"),
        ("running", "stopped", "destroyed"),
    ]
    assert {e.data["vm_id"] for e in told} == {domain.UUIDString()}
    assert [*told[0].data] == ["vm_id", "old_status", "new_status", "reason"]
    assert {(e.type, e.source, e.vm, e.uri, e.missed) for e in told} == {
        ("vm.status.changed", "libvirt", "watched", URI, False)
    }


def test_definitions(stream: EventStream, domain: libvirt.virDomain) -> None:
    connection = domain.connect()
    other = connection.defineXML(XML.format("other"))
    other.undefine()
    connection.defineXML(domain.XMLDesc())
    assert [(e.type, e.data["reason"]) for e in following(stream, 1)] == [("vm.defined", "updated")]


def statuses(told: list[Event], id: str) -> list[Event]:
    """Those of one VM: libvirt may still tell of one that an earlier test had."""
    return [e for e in told if e.type == "vm.status.changed" and e.data["vm_id"] == id]


def counted(told: list[Event], id: str) -> int:
    """How many were told or lost; what a look after a loss tells is not told again."""
    losses: list[int] = [e.data["count"] + 1 for e in told if e.type == "events.lost"]
    return sum(losses) + sum(not e.missed for e in statuses(told, id))


@pytest.mark.fault
def test_a_storm_of_10000_events(domain: libvirt.virDomain) -> None:
    """Nobody reads: what does not fit is counted, and its outcome found by a look afterwards."""
    id = domain.UUIDString()
    with Fleet(uri=URI) as fleet:
        stream = fleet.events(vms=["watched"], size=100)
        assert stream.get(10)
        domain.create()
        for _ in range(5000):
            domain.suspend()
            domain.resume()
        domain.suspend()
        told: list[Event] = []
        until = time.monotonic() + 30
        while counted(told, id) < 10_002 or statuses(told, id)[-1].data["new_status"] != "paused":
            assert time.monotonic() < until
            told += filter(None, [stream.get(1)])
    losses = [e.data["count"] for e in told if e.type == "events.lost"]
    assert sum(losses) > 5000
    assert sum(losses) + sum(not e.missed for e in statuses(told, id)) <= 10_002
    for one, after in pairwise(statuses(told, id)):
        assert one.data["new_status"] == after.data["old_status"]


@pytest.mark.fault
def test_a_feed_never_holds_more_than_its_size(domain: libvirt.virDomain) -> None:
    feed = EventFeed(URI, timeout=5, size=10)
    try:
        domain.create()
        for _ in range(50):
            domain.suspend()
            domain.resume()
        until = time.monotonic() + 30
        while feed._lost < 91 and time.monotonic() < until:
            time.sleep(0.05)
        told = [feed.get(0) for _ in range(12)]
        assert told[10]
        assert (told[10].data, told[11]) == ({"count": 91}, None)
    finally:
        feed.close()


def test_one_loop_serves_all_hosts() -> None:
    before = {t.name for t in threading.enumerate()}
    with Fleet(uri=URI) as fleet:
        streams = [fleet.events() for _ in range(5)]
        assert all(one.get(10) for one in streams)
        loops = [t.name for t in threading.enumerate() if t.name == "libvirt events"]
    assert len(loops) == 1, before


def test_every_teller_s_type_is_known() -> None:
    arguments: dict[int, tuple[object, ...]] = {
        libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE: (0, 0),
        libvirt.VIR_DOMAIN_EVENT_ID_REBOOT: (),
        libvirt.VIR_DOMAIN_EVENT_ID_WATCHDOG: (2,),
        libvirt.VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON: ("/disk", "virtio-disk0", 1, "enospc"),
        libvirt.VIR_DOMAIN_EVENT_ID_CONTROL_ERROR: (),
        libvirt.VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE: (262144,),
        libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED: ("net0",),
        libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED: ("net0",),
        libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED: ("net0",),
        libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE: (1, 2),
        libvirt.VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION: (3,),
        libvirt.VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2: ("vda", 2, 3),
        libvirt.VIR_DOMAIN_EVENT_ID_JOB_COMPLETED: ({"data_total": 7},),
    }
    assert arguments.keys() == _TELLERS.keys()
    for number, words in arguments.items():
        kind, data = _TELLERS[number](*words)
        assert {"vm_id", *data} == set(TYPES[kind].split(", ")), kind
        assert None not in data.values(), kind


def test_words_of_this_libvirt() -> None:
    """Every detail and reason that this libvirt-python knows has a word."""
    for prefix, tables in (
        ("VIR_DOMAIN_EVENT_DEFINED_", LIFECYCLE[libvirt.VIR_DOMAIN_EVENT_DEFINED][1]),
        ("VIR_DOMAIN_EVENT_STARTED_", LIFECYCLE[libvirt.VIR_DOMAIN_EVENT_STARTED][1]),
        ("VIR_DOMAIN_EVENT_SUSPENDED_", LIFECYCLE[libvirt.VIR_DOMAIN_EVENT_SUSPENDED][1]),
        ("VIR_DOMAIN_EVENT_RESUMED_", LIFECYCLE[libvirt.VIR_DOMAIN_EVENT_RESUMED][1]),
        ("VIR_DOMAIN_EVENT_CRASHED_", LIFECYCLE[libvirt.VIR_DOMAIN_EVENT_CRASHED][1]),
        ("VIR_DOMAIN_SHUTOFF_", STATE_REASONS[libvirt.VIR_DOMAIN_SHUTOFF]),
        ("VIR_DOMAIN_PAUSED_", STATE_REASONS[libvirt.VIR_DOMAIN_PAUSED]),
    ):
        numbers = [v for k, v in vars(libvirt).items() if k.startswith(prefix)]
        assert numbers
        assert max(numbers) < len(tables), prefix


def test_a_newer_libvirt_s_numbers_are_unknown() -> None:
    tell = _TELLERS[libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE]
    assert tell(5, 99)[1]["reason"] is None
    assert tell(99, 0)[1]["new_status"] == "unknown"
    assert Told("x").again is False
