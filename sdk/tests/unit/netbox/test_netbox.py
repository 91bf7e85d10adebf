# SPDX-License-Identifier: Apache-2.0
"""Hosts looked up in NetBox: exactly those asked for, in few calls, kept for a while."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hostler.backends.netbox import Netbox
from hostler.backends.netbox.session import NEGATIVE_SECONDS, cache_file
from hostler.errors import Conflict, Denied, InvalidInput
from hostler.models.netbox import NetboxConfig, NetboxHost
from hostler.testing.netbox import FakeNetbox

pytestmark = pytest.mark.slow

V2 = "nbt_4F9DAouzURLb.zjebxBPzICiPbWz0Wtx0fTL7bCKXKGTYhNzkgC2S"

Open = Callable[..., Netbox]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens clients, as each task of a play does."""
    clients: list[Netbox] = []

    def opener(box: FakeNetbox, **settings: Any) -> Netbox:
        given = {"url": box.url, "token": box.token, **settings}
        clients.append(Netbox(NetboxConfig.model_validate(given)))
        return clients[-1]

    yield opener
    for client in clients:
        client.close()


def fill(box: FakeNetbox, count: int, tenants: int = 3) -> list[str]:
    """Add GPU hosts of several tenants; return their names."""
    for number in range(tenants):
        box.add_tenant(f"Tenant {number}", group="Investors" if number else None)
    names = [f"gpu-{number:03}" for number in range(count)]
    for number, name in enumerate(names):
        box.add_device(name, tenant=f"Tenant {number % tenants}")
    return names


def kept_for() -> list[float]:
    """Seconds that the kept answers are still good for."""
    now = datetime.now(UTC).timestamp()
    with closing(sqlite3.connect(cache_file())) as database:
        return [row[0] - now for row in database.execute("SELECT expires FROM responses")]


def test_all_that_is_known_of_a_host(netbox: FakeNetbox, opened: Open) -> None:
    netbox.add_tenant("Acme Corp", group="Big Investors")
    number = netbox.add_device(
        "CA1-ESC812-206",
        site="Canada 1",
        tenant="Acme Corp",
        status="staged",
        custom_fields={"NVLinks": True},
    )
    hosts, warnings = opened(netbox).hosts(["CA1-ESC812-206"])
    assert warnings == []
    assert hosts == {
        "CA1-ESC812-206": NetboxHost(
            name="CA1-ESC812-206",
            tenant="Acme Corp",
            tenant_slug="acme-corp",
            owner_group="Big Investors",
            owner_group_slug="big-investors",
            nvlink=True,
            site="Canada 1",
            status="staged",
            url=f"{netbox.url}/dcim/devices/{number}/",
            source="netbox",
        )
    }


def test_what_netbox_does_not_know_is_none(netbox: FakeNetbox, opened: Open) -> None:
    netbox.add_device("bare")
    netbox.add_device("grouped", tenant="No group")
    hosts, warnings = opened(netbox).hosts(["bare", "grouped", "ghost"])
    bare = hosts["bare"]
    assert (bare.tenant, bare.owner_group, bare.nvlink, bare.source) == (None, None, None, "netbox")
    assert (hosts["grouped"].tenant, hosts["grouped"].owner_group) == ("No group", None)
    assert hosts["ghost"] == NetboxHost(name="ghost")
    assert hosts["ghost"].source == "unresolved"
    assert warnings == ["NetBox has no device with the name ghost."]


def test_no_names_no_calls(netbox: FakeNetbox, opened: Open) -> None:
    assert opened(netbox).hosts([]) == ({}, [])
    assert netbox.calls == []


@pytest.mark.parametrize(("hosts", "calls"), [(1, 2), (50, 2), (51, 3), (200, 5)])
def test_few_calls(netbox: FakeNetbox, opened: Open, hosts: int, calls: int) -> None:
    names = fill(netbox, hosts)
    found, warnings = opened(netbox).hosts(names)
    assert sorted(found) == names
    assert warnings == []
    assert {host.source for host in found.values()} == {"netbox"}
    assert len(netbox.calls) == calls


def test_many_tenants_are_asked_for_together(netbox: FakeNetbox, opened: Open) -> None:
    names = fill(netbox, 120, tenants=120)
    found, _ = opened(netbox).hosts(names)
    assert [h.owner_group for h in found.values()] == [None, *["Investors"] * 119]
    assert len(netbox.calls) == 3 + 3


@pytest.mark.parametrize("name", ["gpu 1", "gpu&name=x", "gpu#1", "日本-1", "a+b", "100%", "null"])
def test_names_are_data(netbox: FakeNetbox, opened: Open, name: str) -> None:
    netbox.add_device(name)
    netbox.add_device("x")
    hosts, _ = opened(netbox).hosts([name])
    assert {n: h.source for n, h in hosts.items()} == {name: "netbox"}


def test_an_empty_name_would_be_no_filter_at_all(netbox: FakeNetbox, opened: Open) -> None:
    with pytest.raises(InvalidInput, match="name is empty"):
        opened(netbox).hosts(["a", ""])
    assert netbox.calls == []


# Pages


@pytest.mark.parametrize("cap", [1, 7, 49, 50])
def test_pages_are_followed_whatever_the_cap(opened: Open, cap: int) -> None:
    with FakeNetbox(max_page_size=cap) as box:
        names = fill(box, 50)
        found, warnings = opened(box).hosts(names)
        assert {host.source for host in found.values()} == {"netbox"}
        assert warnings == []


def test_behind_a_proxy_that_does_not_tell(opened: Open) -> None:
    with FakeNetbox(max_page_size=20, path="/box", inner_url="http://10.0.0.1:1/inner") as box:
        names = fill(box, 50)
        found, _ = opened(box).hosts(names)
        assert {host.source for host in found.values()} == {"netbox"}
        assert {host.owner_group for host in found.values()} == {"Investors", None}
        assert {call.path for call in box.calls} == {
            "/box/api/dcim/devices/",
            "/box/api/tenancy/tenants/",
        }
        assert str(found[names[0]].url).startswith(f"{box.url}/dcim/devices/")


# Tokens and releases


@pytest.mark.parametrize(
    ("version", "token", "keyword"),
    [
        ("3.7.8", None, "Token"),
        ("4.0.11", None, "Token"),
        ("4.5.2", None, "Token"),
        ("4.5.2", V2, "Bearer"),
    ],
)
def test_both_kinds_of_token(opened: Open, version: str, token: str | None, keyword: str) -> None:
    with FakeNetbox(version=version, token=token) as box:
        fill(box, 3)
        hosts, _ = opened(box).hosts(["gpu-001"])
        assert hosts["gpu-001"].owner_group == "Investors"
        assert {call.keyword for call in box.calls} == {keyword}


def test_a_netrc_does_not_take_the_token_s_place(
    netbox: FakeNetbox, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    fill(netbox, 1)
    opened(netbox).hosts(["gpu-000"])
    assert {call.keyword for call in netbox.calls} == {"Token"}


# Kept answers


def test_answers_outlive_a_task(netbox: FakeNetbox, opened: Open) -> None:
    names = fill(netbox, 60)
    first, _ = opened(netbox).hosts(names)
    asked = len(netbox.calls)
    second, _ = opened(netbox).hosts(reversed(names))
    assert len(netbox.calls) == asked
    assert {host.source for host in second.values()} == {"cache"}
    assert second == {n: h.model_copy(update={"source": "cache"}) for n, h in first.items()}


def test_how_long_answers_are_kept(netbox: FakeNetbox, opened: Open) -> None:
    fill(netbox, 2)
    opened(netbox).hosts(["gpu-000"])
    assert all(290 < seconds <= 301 for seconds in kept_for())
    opened(netbox).hosts(["ghost"])
    assert min(kept_for()) <= NEGATIVE_SECONDS + 1


def test_an_old_answer_is_asked_again(netbox: FakeNetbox, opened: Open) -> None:
    number = netbox.add_device("a", status="active")
    client = opened(netbox, cache_seconds=1)
    client.hosts(["a"])
    netbox.remove_device(number)
    netbox.add_device("a", status="failed")
    assert client.hosts(["a"])[0]["a"].status == "active"
    time.sleep(1.1)
    host = client.hosts(["a"])[0]["a"]
    assert (host.status, host.source) == ("failed", "netbox")


def test_nothing_is_kept_where_nothing_shall_be(
    netbox: FakeNetbox, opened: Open, cache_home: Path
) -> None:
    fill(netbox, 1)
    client = opened(netbox, cache_seconds=0)
    for _ in range(2):
        assert client.hosts(["gpu-000"])[0]["gpu-000"].source == "netbox"
    assert len(netbox.calls) == 4
    assert list(cache_home.iterdir()) == []


@pytest.mark.parametrize("token", [None, V2])
def test_no_secret_is_kept(opened: Open, token: str | None, cache_home: Path) -> None:
    with FakeNetbox(token=token) as box:
        box.headers["Set-Cookie"] = "sessionid=hunter2; Path=/"
        fill(box, 60)
        opened(box).hosts(["gpu-000", "gpu-001", "ghost"])
        opened(box).hosts(["gpu-001"])
        files = [path for path in cache_home.rglob("*") if path.is_file()]
        assert cache_file() in files
        secrets = [box.token, "hunter2", *(box.token.split(".") if token else ())]
        for content in (path.read_bytes() for path in files):
            assert not [secret for secret in secrets if secret.encode() in content]


def test_the_file_is_for_the_user_s_eyes_only(netbox: FakeNetbox, opened: Open) -> None:
    cache_file().parent.mkdir(parents=True)
    cache_file().touch(0o644)
    fill(netbox, 1)
    opened(netbox).hosts(["gpu-000"])
    assert cache_file().stat().st_mode & 0o777 == 0o600


def test_another_token_gets_its_own_answers(netbox: FakeNetbox, opened: Open) -> None:
    fill(netbox, 1)
    opened(netbox).hosts(["gpu-000"])
    with pytest.raises(Denied):
        opened(netbox, token="0" * 40).hosts(["gpu-000"])


@pytest.mark.parametrize("what", ["garbage", "damaged", "folder", "no room"])
def test_a_file_that_cannot_be_used_is_no_error(
    netbox: FakeNetbox, opened: Open, cache_home: Path, what: str
) -> None:
    fill(netbox, 1)
    file = cache_file()
    if what == "no room":
        (cache_home / "hostler").write_text("a file")
    elif what == "folder":
        file.mkdir(parents=True)
    else:
        opened(netbox).hosts(["gpu-000"])
        content = file.read_bytes()
        head = 100 if what == "damaged" else 0
        file.write_bytes(content[:head] + os.urandom(len(content) - head))
    for _ in range(2):
        assert opened(netbox).hosts(["gpu-000"])[0]["gpu-000"].source in ("netbox", "cache")


def test_a_file_damaged_under_way_is_no_error(netbox: FakeNetbox, opened: Open) -> None:
    fill(netbox, 1)
    client = opened(netbox)
    with closing(sqlite3.connect(cache_file())) as database:
        database.execute("DROP TABLE responses")
    assert client.hosts(["gpu-000"])[0]["gpu-000"].owner_group is None


def test_a_file_that_another_holds_for_long_is_not_waited_for(
    netbox: FakeNetbox, opened: Open
) -> None:
    fill(netbox, 1)
    opened(netbox)
    with closing(sqlite3.connect(cache_file(), isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        assert opened(netbox).hosts(["gpu-000"])[0]["gpu-000"].source == "netbox"


def test_threads_do_not_ask_the_same_twice(netbox: FakeNetbox, opened: Open) -> None:
    names = fill(netbox, 60)
    netbox.delay = 0.05
    client = opened(netbox)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: client.hosts(names), range(16)))
    assert all(len(hosts) == 60 for hosts, _ in answers)
    assert len(netbox.calls) == 3


def test_different_questions_do_not_wait_for_each_other(netbox: FakeNetbox, opened: Open) -> None:
    names = fill(netbox, 8)
    netbox.delay = 0.2
    client = opened(netbox)
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda name: client.hosts([name])[0][name], names))
    assert [host.name for host in answers] == names
    assert time.monotonic() - began < 8 * 0.2


# Sites and owners


def test_the_same_name_at_two_sites(netbox: FakeNetbox, opened: Open) -> None:
    netbox.add_device("gpu-1", site="CA1", status="active")
    netbox.add_device("gpu-1", site="NO1", status="planned")
    with pytest.raises(Conflict, match=r"at the sites ca1 and no1\. Set netbox\.site"):
        opened(netbox).hosts(["gpu-1"])
    host = opened(netbox, site="no1").hosts(["gpu-1"])[0]["gpu-1"]
    assert (host.site, host.status) == ("NO1", "planned")


def test_owner_groups_of_owners(netbox: FakeNetbox, opened: Open) -> None:
    netbox.add_owner("Team GPU", group="Ours")
    netbox.add_device("gpu-1", tenant="Acme", owner="Team GPU")
    netbox.add_device("gpu-2", tenant="Acme")
    hosts, _ = opened(netbox, owner_group="owner_group").hosts(["gpu-1", "gpu-2"])
    assert (hosts["gpu-1"].owner_group, hosts["gpu-1"].tenant) == ("Ours", "Acme")
    assert hosts["gpu-2"].owner_group is None


def test_old_releases_have_no_owners(opened: Open) -> None:
    with FakeNetbox(version="4.4.0") as box:
        box.add_device("gpu-1")
        with pytest.raises(InvalidInput, match=r"NetBox 4\.5 or newer"):
            opened(box, owner_group="owner_group").hosts(["gpu-1"])


def test_owner_groups_of_a_custom_field(netbox: FakeNetbox, opened: Open) -> None:
    netbox.add_device("gpu-1", custom_fields={"billing": "Us"})
    netbox.add_device("gpu-2", custom_fields={"billing": {"value": "inv", "label": "Investors"}})
    netbox.add_device("gpu-3")
    client = opened(netbox, owner_group="custom_field", owner_group_field="billing")
    hosts, _ = client.hosts(["gpu-1", "gpu-2", "gpu-3"])
    assert [(h.owner_group, h.owner_group_slug) for h in hosts.values()] == [
        ("Us", None),
        ("Investors", "inv"),
        (None, None),
    ]
    assert len(netbox.calls) == 1
    with pytest.raises(InvalidInput, match=r"no custom field 'biling'.* one of these: billing"):
        opened(netbox, owner_group="custom_field", owner_group_field="biling").hosts(["gpu-1"])


def test_owner_groups_of_a_mapping(netbox: FakeNetbox, opened: Open) -> None:
    netbox.add_device("gpu-1", tenant="Acme Corp")
    netbox.add_device("gpu-2", tenant="Other Inc")
    netbox.add_device("gpu-3", tenant="Third")
    netbox.add_device("gpu-4")
    groups = {"Acme Corp": "Ours", "other-inc": "Theirs"}
    client = opened(netbox, owner_group="mapping", owner_groups=groups)
    hosts, _ = client.hosts(["gpu-1", "gpu-2", "gpu-3", "gpu-4"])
    assert [host.owner_group for host in hosts.values()] == ["Ours", "Theirs", None, None]


def test_the_field_for_nvlink_can_be_chosen(netbox: FakeNetbox, opened: Open) -> None:
    netbox.add_device("gpu-1", custom_fields={"has_nvlink": False, "NVLinks": True})
    hosts, _ = opened(netbox, nvlink_field="has_nvlink").hosts(["gpu-1"])
    assert hosts["gpu-1"].nvlink is False


def test_a_tenant_that_we_may_not_see(opened: Open) -> None:
    with FakeNetbox() as box:
        box.add_device("gpu-1", tenant="Acme")
        box.fail(200, {"count": 0, "next": None, "previous": None, "results": []}, call=2)
        hosts, warnings = opened(box).hosts(["gpu-1"])
        assert (hosts["gpu-1"].tenant, hosts["gpu-1"].owner_group) == ("Acme", None)
        assert warnings == ["NetBox does not show us the tenant with the id 1."]
