# SPDX-License-Identifier: Apache-2.0
"""VMs are found on all hosts of the pool; what can't be asked is said, never just left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hostler import Fleet
from hostler.errors import Conflict, HostlerError, InvalidInput, NotFound, Unreachable
from hostler.models.vm_task import BatchResult, VmQuery

from .conftest import MakeFleet
from .nodes import node, vm

WEB = {"app": "web"}
NOWHERE = "qemu+tcp://127.0.0.1:1/system"


@pytest.fixture
def hosts(tmp_path: Path) -> dict[str, Any]:
    """Host ``one`` has web1, web2 and both; ``two`` has web3, both and db, which is off."""
    one = [vm("web1", memory_mb=300, labels=WEB), vm("web2", memory_mb=100, labels=WEB), vm("both")]
    two = [vm("web3", memory_mb=200, labels=WEB), vm("both"), vm("db", running=False)]
    return {
        "one": {"uri": node(tmp_path / "one.xml", *one)},
        "two": {"uri": node(tmp_path / "two.xml", *two)},
    }


@pytest.fixture
def pool(make_fleet: MakeFleet, hosts: dict[str, Any]) -> Fleet:
    return make_fleet(hosts=hosts)


@pytest.fixture
def broken(make_fleet: MakeFleet, hosts: dict[str, Any], tmp_path: Path) -> Fleet:
    """The same with ``two`` gone since it was last read, and ``new``, which never answered."""
    make_fleet(hosts=hosts).hosts.info()
    (tmp_path / "two.xml").unlink()
    return make_fleet(hosts=hosts)


def names(vms: Any) -> list[tuple[str, str | None]]:
    return [(vm.name, vm.host_id) for vm in vms]


def batch(fleet: Fleet, operation: Any = "stop", **query: Any) -> BatchResult:
    return fleet.vms.batch(
        operation,
        VmQuery(**query),
        check=True,
        options={"force": operation == "delete"},
        snapshot="s",
    )


def test_all_hosts(pool: Fleet) -> None:
    everywhere = [
        ("both", "one"),
        ("both", "two"),
        ("db", "two"),
        ("web1", "one"),
        ("web2", "one"),
        ("web3", "two"),
    ]
    assert names(pool.vms.list()) == everywhere
    assert names(pool.vms.list(host="auto")) == everywhere
    assert names(pool.vms.list(host="two")) == [("both", "two"), ("db", "two"), ("web3", "two")]
    assert names(pool.vms.list(uri=pool.config.hosts["one"].uri))[0] == ("both", None)
    assert names(Fleet(pool.config, host="two").vms.list(names=("d*",))) == [("db", "two")]
    assert pool.vms.get("web3").host_id == "two"


def test_snapshots_of_vms_wherever_they_are(pool: Fleet) -> None:
    names = ("web1", "web3", "both", "nobody")
    wanted = [{"vm": name, "name": "s", "memory": True} for name in names]
    one, three, both, nobody = pool.snapshots.run(wanted, check=True)
    assert (one.error, one.changed, three.error, three.changed) == (None, True, None, True)
    assert "there is one on hosts one and two" in str(both.error)
    assert "there is no such VM" in str(nobody.error)


def test_sorted_and_on_pages_as_a_whole(pool: Fleet) -> None:
    query: dict[str, Any] = {"labels": WEB, "sort": "-memory_mb", "limit": 2}
    first, second = (pool.vms.find(**query, page=page) for page in (1, 2))
    assert names(first.vms) == [("web1", "one"), ("web3", "two")]
    assert names(second.vms) == [("web2", "one")]
    assert (first.total, first.pages, second.page) == (3, 2, 2)
    assert (first.unreachable_hosts, first.warnings) == ({}, [])


def test_a_name_that_two_hosts_have(pool: Fleet) -> None:
    with pytest.raises(Conflict, match=r"there is one on hosts one and two\. Say which: host: ID"):
        pool.vms.get("both")
    assert pool.vms.get("both", host="two").host_id == "two"
    assert names(pool.vms.list(names=("both",))) == [("both", "one"), ("both", "two")]


def test_what_names_a_hypervisor_comes_first(pool: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", pool.config.hosts["one"].uri)
    assert {vm.host_id for vm in pool.vms.list()} == {None}
    assert len(pool.vms.list()) == 3
    assert len(pool.vms.list(host="auto")) == 6


def test_a_host_that_is_down(broken: Fleet) -> None:
    page = broken.vms.find()
    assert names(page.vms) == [("both", "one"), ("web1", "one"), ("web2", "one")]
    assert list(page.unreachable_hosts) == ["two"]
    assert page.warnings[0].startswith("host two can't be reached: ")
    assert names(broken.vms.list(names=("web*",))) == [("web1", "one"), ("web2", "one")]
    seen = "VM 'db': it was last seen on host two, which can't be reached"
    for ask in (lambda: broken.vms.list(names=("db",)), lambda: broken.vms.get("db")):
        with pytest.raises(Unreachable, match=seen):
            ask()
    assert broken.vms.list(names=("never",)) == []
    with pytest.raises(NotFound, match="VM 'never' on the hosts of the pool"):
        broken.vms.get("never")


def test_a_host_that_was_never_seen(make_fleet: MakeFleet, hosts: dict[str, Any]) -> None:
    fleet = make_fleet(hosts={"one": hosts["one"], "new": {"uri": NOWHERE}})
    with pytest.raises(Unreachable, match="it may be on host new, never seen so far"):
        fleet.vms.list(names=("never",))
    assert fleet.vms.get("web1").host_id == "one"


def test_no_host_answers(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(hosts={"new": {"uri": NOWHERE}})
    with pytest.raises(Unreachable, match="Connection refused"):
        fleet.vms.list()
    with pytest.raises(Unreachable, match="Connection refused"):
        batch(fleet, names=("*",))


@pytest.mark.parametrize("operation", ["stop", "snapshot", "delete"])
def test_batch(pool: Fleet, operation: str) -> None:
    done = batch(pool, operation, names=("web1", "web3", "never"))
    told = [(r.name, r.host_id, r.error_code) for r in done.results]
    assert told[:2] == [("web1", "one", None), ("web3", "two", None)]
    gone = [] if operation == "delete" else [("never", None, "not_found")]
    assert told[2:] == gone
    assert names(pool.vms.list(labels=WEB)) == [
        (r.name, r.host_id) for r in batch(pool, operation, labels=WEB).results
    ]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"names": ("both",)}, [("both", None, "conflict")]),
        ({"names": ("b*",)}, [("both", "one", None), ("both", "two", None)]),
        ({"names": ("both", "*o*")}, [("both", "one", None), ("both", "two", None)]),
        ({"names": ("both", "w*1")}, [("web1", "one", None), ("both", None, "conflict")]),
        ({"search": "oth"}, [("both", "one", None), ("both", "two", None)]),
    ],
    ids=str,
)
def test_batch_of_a_name_that_two_hosts_have(
    pool: Fleet, query: dict[str, Any], told: list[Any]
) -> None:
    done = batch(pool, **query)
    assert [(r.name, r.host_id, r.error_code) for r in done.results] == told


@pytest.mark.parametrize("operation", ["stop", "snapshot", "delete"])
def test_batch_while_a_host_is_down(broken: Fleet, operation: str) -> None:
    done = batch(broken, operation, names=("web1", "db"))
    told = [(r.name, r.host_id, r.error_code) for r in done.results]
    assert told == [("web1", "one", None), ("db", None, "unreachable")]
    assert (done.status, list(done.unreachable_hosts)) == ("partial", ["two"])
    globs = batch(broken, operation, names=("web*",))
    assert (globs.status, globs.total_vms) == ("completed", 2)
    assert list(globs.unreachable_hosts) == ["two"]


def test_two_tasks_for_one_vm(pool: Fleet) -> None:
    wanted: list[dict[str, Any]] = [
        {"name": "both", "host": "one"},
        {"name": "both", "host": "two"},
    ]
    assert [r.host_id for r in pool.vms.run(wanted, check=True)] == ["one", "two"]
    for twin in (
        {"name": "both"},
        {"name": "both", "host": "two"},
        {"name": "both", "host": "auto"},
    ):
        with pytest.raises(InvalidInput, match="VM 'both' is named twice"):
            pool.vms.run([*wanted, twin], check=True)


def test_no_pool(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "test:///default")
    (only,) = fleet.vms.list()
    assert (only.name, only.host_id) == ("test", None)
    monkeypatch.delenv("LIBVIRT_DEFAULT_URI")
    with pytest.raises(HostlerError, match="there is no such host"):
        fleet.vms.list(host="one")
    with pytest.raises(NotFound, match="the pool has no hosts"):
        fleet.vms.list(host="auto")
