# SPDX-License-Identifier: Apache-2.0
"""Editor: one pass of edits over a domain, noting what changed and how that goes live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from hostler.vms.domain.tree import Element, parse

LiveKind = Literal[
    "vcpus", "memory", "attach", "detach", "update", "title", "description", "metadata"
]


@dataclass(frozen=True)
class Live:
    """How one change is made to a running domain; ``before`` is what undoes it."""

    kind: LiveKind
    value: str
    before: str = ""


@dataclass(frozen=True)
class Change:
    """One field that differs from what is wanted; ``live`` is None where it needs a restart."""

    field: str
    live: Live | None


@dataclass
class Editor:
    """Edits one tree.

    With ``running`` the tree is that of a running domain: changes that can't go live are noted,
    and left out of the tree, so that it ends as the domain will be. Without ``memory_live`` its
    memory is left alone: what its balloon was told before is not known.
    """

    tree: Element
    running: bool = False
    memory_live: bool = True
    changes: list[Change] = field(default_factory=list)

    @classmethod
    def of(cls, xml: str, *, running: bool = False, on: str = "domain XML") -> Editor:
        """Return an editor for XML text."""
        return cls(parse(xml, on), running)

    def change(self, name: str, edit: Callable[[], object], live: Live | None = None) -> None:
        """Note a change, and make it unless it can't be made to this running domain."""
        self.changes.append(Change(name, live))
        if live is not None or not self.running:
            edit()
