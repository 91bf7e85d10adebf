# SPDX-License-Identifier: Apache-2.0
"""Things found by exact name or by id, or not at all."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.errors import Conflict, HostlerError, NotFound
from hostler.openstack.lookup import find


@dataclass(frozen=True)
class Thing:
    id: str
    name: str


THINGS = [Thing("1", "web"), Thing("2", "Web"), Thing("3", "db"), Thing("4", "db"), Thing("5", "3")]


@pytest.mark.parametrize(("word", "id"), [("web", "1"), ("Web", "2"), ("4", "4"), ("3", "3")])
def test_by_name_or_by_id_first(word: str, id: str) -> None:
    assert find(THINGS, word, "server").id == id


@pytest.mark.parametrize(
    ("word", "error", "says"),
    [
        ("db", Conflict, "server 'db': 2 have that name. Give the id of the one that you mean: 3"),
        ("WEB", NotFound, "Did you mean 'Web'?"),
        ("we", NotFound, "there is none of that name or id. There are: 3, Web, db, web."),
        ("", NotFound, "server ''"),
    ],
)
def test_what_is_not_one_thing(word: str, error: type[HostlerError], says: str) -> None:
    with pytest.raises(error) as raised:
        find(THINGS, word, "server")
    assert says in str(raised.value)


def test_few_of_many_names_are_shown() -> None:
    many = [Thing(str(n), f"vm-{n:02}") for n in range(20)]
    with pytest.raises(NotFound, match=r"vm-07 \.\.\.\.$"):
        find(many, "other", "server")
    with pytest.raises(NotFound, match="There are: none"):
        find([], "other", "server")


WORDS = st.text("aA.*", max_size=2)


@given(names=st.lists(WORDS, max_size=6), word=WORDS)
def test_a_name_is_found_only_where_it_is_the_only_one(names: list[str], word: str) -> None:
    things = [Thing(f"id-{number}", name) for number, name in enumerate(names)]
    try:
        assert find(things, word, "network").name == word
        assert names.count(word) == 1
    except Conflict:
        assert names.count(word) > 1
    except NotFound:
        assert word not in names
