# SPDX-License-Identifier: Apache-2.0
"""What happened between two looks."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.events.compare import compare

STATUSES = ("running", "paused", "stopped", "crashed")


@dataclass(frozen=True)
class Vm:
    name: str
    status: str
    reason: str | None = None


def changed(
    old: str | None, new: str, reason: str | None = None
) -> tuple[str, dict[str, str | None]]:
    data = {"vm_id": "u", "old_status": old, "new_status": new, "reason": reason}
    return ("vm.status.changed", data)


DEFINED = ("vm.defined", {"vm_id": "u", "reason": None})


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (None, None, []),
        (Vm("a", "running"), Vm("a", "running", "unpaused"), []),
        (
            Vm("a", "running"),
            Vm("a", "stopped", "crashed"),
            [changed("running", "stopped", "crashed")],
        ),
        (None, Vm("a", "stopped"), [DEFINED]),
        (None, Vm("a", "running", "booted"), [DEFINED, changed(None, "running", "booted")]),
        (Vm("a", "running"), None, [("vm.undefined", {"vm_id": "u", "reason": None})]),
    ],
)
def test_compare(before: Vm | None, after: Vm | None, wanted: list[object]) -> None:
    found = compare({"u": before} if before else {}, {"u": after} if after else {})
    assert [(change.type, change.data) for change in found] == wanted


worlds = st.dictionaries(
    st.sampled_from("abcdef"), st.builds(Vm, st.just("x"), st.sampled_from(STATUSES))
)


@given(worlds, worlds)
def test_the_changes_lead_from_one_world_to_the_other(
    before: dict[str, Vm], after: dict[str, Vm]
) -> None:
    world = {id: vm.status for id, vm in before.items()}
    for change in compare(before, after):
        id = change.data["vm_id"]
        if change.type == "vm.undefined":
            del world[id]
        elif change.type == "vm.defined":
            assert id not in world
            world[id] = "stopped"
        else:
            assert change.data["old_status"] in (None, world[id])
            world[id] = change.data["new_status"]
    assert world == {id: vm.status for id, vm in after.items()}
