# SPDX-License-Identifier: Apache-2.0
"""What NetBox's answers mean: nothing is taken that was not asked for, nothing is made up."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.backends.netbox.answers import (
    CHUNK,
    CHUNK_CHARACTERS,
    Group,
    asked_for,
    by_name,
    chunks,
    complete,
    flag,
    group,
    listed,
    rebased,
    word,
)
from hostler.errors import BackendError, Conflict


def device(name: str | None, site: str = "a", tenant: str | None = None, id: int = 1) -> Any:
    owner = {"id": 1, "name": tenant} if tenant else None
    return {"id": id, "name": name, "site": {"id": 1, "name": site, "slug": site}, "tenant": owner}


@given(st.lists(st.text(min_size=1, max_size=300)))
def test_questions_are_short_and_leave_nothing_out(words: list[str]) -> None:
    found = list(chunks(words))
    assert [word for chunk in found for word in chunk] == words
    for chunk in found:
        assert 1 <= len(chunk) <= CHUNK
        length = sum(len(f"&name={quote(word, safe='')}") for word in chunk)
        assert length <= CHUNK_CHARACTERS or len(chunk) == 1


def test_no_more_questions_than_needed() -> None:
    assert [len(c) for c in chunks(f"gpu-{n}" for n in range(120))] == [50, 50, 20]
    assert list(chunks([])) == []


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://n.example/api/dcim/devices/?a=1", "dcim/devices/?a=1"),
        ("http://10.0.0.1:8001/api/dcim/devices/?a=1&a=2", "dcim/devices/?a=1&a=2"),
        ("http://inner/other/api/dcim/devices/?name=%2Fapi%2F", "dcim/devices/?name=%2Fapi%2F"),
        ("https://n.example/api/tenancy/tenants/", "tenancy/tenants/"),
        ("https://evil.example/", "/"),
    ],
)
@pytest.mark.parametrize("base", ["https://n.example", "https://n.example/api/box"])
def test_whatever_an_answer_says_we_stay_at_our_netbox(base: str, url: str, path: str) -> None:
    assert rebased(base, url) == f"{base}/api/{path}"


@pytest.mark.parametrize(
    ("query", "count", "names", "all_there"),
    [
        ("name=a&name=b", 2, ["a", "b"], True),
        ("name=a&name=b&limit=1", 2, ["a"], True),  # a page of two
        ("name=a&name=b", 1, ["a"], False),
        ("name=a", 1, ["A"], False),
        ("name=a", 2, ["a", "a"], False),
        ("name=a", None, ["a"], False),
        ("limit=50", 1, ["a"], False),
    ],
)
def test_complete(query: str, count: int | None, names: list[str], all_there: bool) -> None:
    answer = {"count": count, "results": [{"name": name} for name in names]}
    assert complete(f"https://n/api/dcim/devices/?{query}", answer) is all_there


def test_complete_by_id() -> None:
    answer = {"count": 2, "results": [{"id": 1}, {"id": 7}]}
    assert complete("https://n/api/tenancy/tenants/?id=1&id=7", answer)
    assert not complete("https://n/api/tenancy/tenants/?id=1&id=8", answer)


def test_what_was_not_asked_for_stops_the_reading() -> None:
    rows = iter([device("a"), device("A"), device("router"), device("b")])
    with pytest.raises(BackendError, match="'router', which was not asked for"):
        list(asked_for(rows, "name", ["a", "b"], "NetBox x"))
    assert next(rows)["name"] == "b"  # the many that would follow are not even fetched


@pytest.mark.parametrize("row", [{}, {"name": "a"}, "a", None, ["a"]])
def test_rows_that_are_none(row: Any) -> None:
    with pytest.raises(BackendError, match="not one of NetBox's API"):
        list(asked_for([row], "name", ["a"], "NetBox x"))


def test_a_device_without_a_name_was_not_asked_for() -> None:
    with pytest.raises(BackendError, match="returned None"):
        list(asked_for([device(None)], "name", ["a"], "NetBox x"))


def test_names_are_told_apart_by_case() -> None:
    rows = [device("gpu-1"), device("GPU-2"), device("gpu-3"), device("GPU-3")]
    found, warnings = by_name({"gpu-1", "gpu-2", "gpu-3", "gpu-4"}, rows, None)
    assert {name: row["name"] for name, row in found.items()} == {
        "gpu-1": "gpu-1",
        "gpu-3": "gpu-3",
    }
    assert warnings == [
        "NetBox has no device with the name gpu-4.",
        "NetBox writes the name in another case: gpu-2 (there is GPU-2).",
    ]


def test_the_site_is_part_of_the_warning() -> None:
    assert by_name({"a"}, [], "ca1")[1] == ["NetBox has no device at site 'ca1' with the name a."]


@pytest.mark.parametrize(
    ("devices", "says"),
    [
        (
            [device("x", "no1"), device("x", "ca1")],
            "the sites ca1 and no1. Set netbox.site to the one that the hosts are at.",
        ),
        (
            [device("x", "ca1", "Acme"), device("x", "ca1")],
            "twice at site ca1: of Acme and no tenant. Rename one of them in NetBox.",
        ),
    ],
)
def test_the_same_name_twice(devices: list[Any], says: str) -> None:
    with pytest.raises(Conflict) as caught:
        by_name({"x"}, devices, None)
    assert str(caught.value).startswith("device 'x': NetBox has it ")
    assert str(caught.value).endswith(says)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("active", "active"),
        ({"value": "staged", "label": "Staged"}, "staged"),
        (None, None),
        ("", None),
        (7, "7"),
        ({"value": None}, None),
    ],
)
def test_choices(value: Any, expected: str | None) -> None:
    assert word(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, Group()),
        ("", Group()),
        ("Investors", Group("Investors")),
        ({"value": "inv", "label": "Investors"}, Group("Investors", "inv")),
        ({"id": 3, "name": "Investors", "slug": "investors"}, Group("Investors", "investors")),
        ({"id": 3, "name": "Investors"}, Group("Investors")),
    ],
)
def test_groups(value: Any, expected: Group) -> None:
    assert group(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True), (False, False), (None, None), (8, True), (0, False), ("Yes", True),
        ("no", False), ("maybe", None), ("", None), ([True], None),
        ({"value": True, "label": "Yes"}, True), ({"value": "no", "label": "No"}, False),
    ],
)  # fmt: skip
def test_flags(value: Any, expected: bool | None) -> None:
    assert flag(value) is expected


def test_long_lists_are_cut() -> None:
    assert listed(["a"]) == "a"
    assert listed([str(n) for n in range(7)]) == "0, 1, 2, 3, 4 and 2 more"
