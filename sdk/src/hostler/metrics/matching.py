# SPDX-License-Identifier: Apache-2.0
"""Which VMs and hosts are meant. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Protocol, TypeVar

from hostler.errors import NotFound
from hostler.models.metrics import Kind

_WORDS: Mapping[Kind, str] = {"vm": "VM", "host": "host", "pool": "pool"}


class _Named(Protocol):
    @property
    def key(self) -> str: ...

    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


def matching(there: Sequence[T], names: Collection[str], kind: Kind, missing: str) -> list[T]:
    """Return what has one of these names, globs or keys; all where there are none.

    Raises:
        NotFound: a name without a glob is not there; ``missing`` says so.
    """
    for name in names:
        if not is_glob(name) and not any(name in (one.name, one.key) for one in there):
            near = get_close_matches(name, [one.name for one in there], 1)
            hint = f"Did you mean {near[0]!r}?" if near else ""
            raise NotFound(missing, on=f"{_WORDS[kind]} {name!r}", hint=hint)
    return [
        one
        for one in there
        if not names or any(fnmatchcase(one.name, name) or name == one.key for name in names)
    ]


def is_glob(name: str) -> bool:
    """Whether a name may stand for several."""
    return bool(set("*?[") & set(name))


def named(name: str, names: Collection[str]) -> bool:
    """Whether a name is asked for by itself."""
    return name in names
