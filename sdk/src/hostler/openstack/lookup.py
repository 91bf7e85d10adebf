# SPDX-License-Identifier: Apache-2.0
"""Finds things by exact name or by id. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from hostler.errors import Conflict, NotFound


class Thing(Protocol):
    """Something with an id and a name."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def name(self) -> str:
        """Its name, which others may have too."""


T = TypeVar("T", bound=Thing)

_SHOWN = 8


def find(things: Iterable[T], word: str, kind: str) -> T:
    """Return the thing of this id, or the only one of exactly this name.

    Raises:
        NotFound: there is none.
        Conflict: several have the name; says their ids.
    """
    there = list(things)
    for thing in there:
        if thing.id == word:
            return thing
    named = [thing for thing in there if thing.name == word]
    if len(named) > 1:
        ids = ", ".join(sorted(thing.id for thing in named))
        hint = f"Give the id of the one that you mean: {ids}."
        raise Conflict(f"{len(named)} have that name", on=f"{kind} {word!r}", hint=hint)
    if named:
        return named[0]
    names = sorted({thing.name for thing in there if thing.name})
    near = [name for name in names if name.casefold() == word.casefold()]
    shown = ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {shown or 'none'}."
    raise NotFound("there is none of that name or id", on=f"{kind} {word!r}", hint=hint)
