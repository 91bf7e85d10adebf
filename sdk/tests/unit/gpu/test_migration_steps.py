# SPDX-License-Identifier: Apache-2.0
"""Steps of moves where the host is not as it was planned: what the rig can't be brought to show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hostler.config import Policy
from hostler.errors import Conflict
from hostler.gpu import lock
from hostler.gpu.planner import plan_migration
from hostler.gpu.steps import base
from hostler.models.migration import MigrationTask
from hostler.models.nova import Server
from hostler.plan.step import Step
from hostler.plan.who import Who, me

from .nova_rules import Rules
from .worlds import aggregate, compute, numbered, server, world

LEFT = "hostler: move 6b000000-dead"


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "WAITS", (0.0, 0.0))
    monkeypatch.setattr(lock, "PAUSE", (0.0, 0.0))


def start(*servers: Server, reason: str = "") -> tuple[Rules, dict[str, Step]]:
    """Return a cloud, and the steps of a move there by their kinds."""
    made = numbered([aggregate("L40-n3", "me"), aggregate("L40-n3-spot", "other")])
    computes = (compute("me", enabled=not reason, reason=reason), compute("other"))
    found = world(*made, computes=computes)
    plan, _ = plan_migration(found, MigrationTask(host="me", target="L40-n3-spot"), Policy())
    rules = Rules(replace(found, servers=servers))
    return rules, {step.kind: step for step in reversed(plan.steps)}


def apply(rules: Rules, step: Step) -> None:
    step.apply(rules, lambda _: None)


class Coming(Rules):
    """Placement keeps room on every host for every server."""

    def consumers(self, provider: str) -> frozenset[str]:
        return frozenset({*self.running, "no-server"})


@pytest.mark.parametrize(
    ("host", "task", "comes"),
    [
        (None, "scheduling", True),
        (None, None, True),
        ("me", "spawning", True),
        ("other", "migrating", True),
        ("other", "resize_migrating", True),
        ("other", None, False),  # it was evacuated from here: only its room is left
    ],
)
def test_servers_that_come(host: str | None, task: str | None, comes: bool) -> None:
    one = replace(server(host, name="vm"), task_state=task)
    rules, steps = start(one)
    rules = Coming(rules.start)
    if not comes:
        apply(rules, steps["gpu.count"])
        return
    with pytest.raises(Conflict, match=r"it has got servers meanwhile: vm \(ACTIVE\)"):
        apply(rules, steps["gpu.count"])


def test_a_service_that_a_dead_move_left_is_put_back_to_that() -> None:
    rules, steps = start(reason=LEFT)
    apply(rules, steps["gpu.disable"])
    assert rules.services["me"].disabled_reason == steps["gpu.disable"].reason  # type: ignore[attr-defined]
    steps["gpu.disable"].undo(rules)
    assert rules.services["me"].disabled_reason == LEFT


@pytest.mark.parametrize("now", [compute("me"), compute("me", enabled=False, reason="broken")])
def test_a_service_that_was_freed_since_is_not_put_back_to_that(now: object) -> None:
    rules, steps = start(reason=LEFT)
    rules.services["me"] = now  # type: ignore[assignment]
    if rules.services["me"].enabled:
        with pytest.raises(Conflict, match=r"was disabled .* and is not any more"):
            apply(rules, steps["gpu.disable"])
    else:
        apply(rules, steps["gpu.disable"])
        steps["gpu.disable"].undo(rules)
    assert rules.services["me"] == now


def test_the_last_aggregate_is_never_left() -> None:
    rules, steps = start()
    with pytest.raises(Conflict, match="somebody else has taken it out of L40-n3-spot"):
        apply(rules, steps["gpu.remove"])
    apply(rules, steps["gpu.add"])
    rules.remove_host(1, "me")
    with pytest.raises(Conflict, match="somebody else has taken it out of L40-n3: it stays"):
        steps["gpu.add"].undo(rules)
    assert "me" in rules.aggregate(2).hosts


ALICE = Who("alice", "ctl-2", 4711, "99")


def lock_of(plan: str, who: Who = ALICE, until: str = "2999-01-01T00:00:00Z") -> lock.Lock:
    return lock.Lock(plan, "me", who, until, 1)


def test_two_that_come_at_the_very_same_time_both_try_again() -> None:
    rules, _ = start()
    theirs = lock_of("theirs")
    writes = []

    class Racing(Rules):
        def set_metadata(self, id: int, metadata: dict[str, str | None]) -> None:
            super().set_metadata(id, metadata)
            writes.append(metadata)
            if len(writes) == 1:  # they write at the same time ...
                super().set_metadata(1, {theirs.key: lock._text(theirs)})
            elif len(writes) == 2:  # ... and give way, as we do
                super().set_metadata(1, {theirs.key: None})

    racing = Racing(rules.start)
    lock.take(racing, "me", "ours", 1, minutes=1, wait=0)  # type: ignore[arg-type]
    assert [held.plan for held in lock.locks(racing.aggregates(), "me")] == ["ours"]
    assert [next(iter(write.values())) is None for write in writes] == [False, True, False]


def test_a_lock_is_ours_only_where_nobody_else_has_one() -> None:
    rules, steps = start()
    taking = steps["gpu.lock"]
    assert not taking.is_done(rules)
    apply(rules, taking)
    assert taking.is_done(rules)
    rules.set_metadata(2, {lock_of("theirs").key: lock._text(lock_of("theirs"))})
    assert not taking.is_done(rules)
    with pytest.raises(Conflict, match="it is being moved by alice on ctl-2"):
        apply(rules, steps["gpu.add"])


@pytest.mark.parametrize("value", ["", "x", "2999 x y me", "2999-01-01T00:00:00Z 1 2 other a b"])
def test_what_is_no_lock_of_the_host_is_none(value: str) -> None:
    made = aggregate("a", metadata={lock.PREFIX + "1-2": value})
    assert lock.locks([made], "me") == []


@pytest.mark.parametrize(
    ("who", "until", "stale"),
    [
        (ALICE, "2999-01-01T00:00:00Z", False),
        (ALICE, "2020-01-01T00:00:00Z", True),
        (me(), "2999-01-01T00:00:00Z", False),
        (me(), "2020-01-01T00:00:00Z", True),
        (me()._replace(pid_started="1"), "2999-01-01T00:00:00Z", True),
    ],
)
def test_stale_locks(who: Who, until: str, stale: bool) -> None:
    made = lock_of("1-2", who, until)
    (read,) = lock.locks([aggregate("a", metadata={made.key: lock._text(made)})], "me")
    assert (read.stale, read.who, read.until) == (stale, who, until)
