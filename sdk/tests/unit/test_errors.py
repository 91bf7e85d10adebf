# SPDX-License-Identifier: Apache-2.0
"""Errors say what failed, on what, and what to do next."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from hostler import errors
from hostler.errors import (
    BackendError,
    ConfigError,
    Denied,
    HostlerError,
    InternalError,
    InvalidInput,
    PlanFailed,
    Timeout,
    Unreachable,
)
from hostler.plan.outcome import Outcome


def tree(base: type[HostlerError]) -> Iterator[type[HostlerError]]:
    yield base
    for child in base.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


@pytest.mark.parametrize(
    ("what", "on", "hint", "text"),
    [
        ("it is gone", "", "", "it is gone."),
        ("it is gone.", "VM 'a'", "", "VM 'a': it is gone."),
        ("it is gone", "VM 'a'", "Make one.", "VM 'a': it is gone. Make one."),
        (" it is gone. ", "", " Make one. ", "it is gone. Make one."),
    ],
)
def test_sentences(what: str, on: str, hint: str, text: str) -> None:
    error = HostlerError(what, on=on, hint=hint)
    assert str(error) == text
    assert text.startswith(error.reason)
    assert not error.reason.endswith(".")


def test_a_place_in_a_file() -> None:
    error = ConfigError("is bad", file="a.yml", path="vms[0]", line=3)
    assert str(error) == "a.yml, line 3, at vms[0]: is bad."
    assert isinstance(error, InvalidInput)
    assert str(ConfigError("is bad", file="a.yml")) == "a.yml: is bad."


def test_codes_are_words_and_each_is_of_one_error() -> None:
    codes = [error.code for error in tree(HostlerError)]
    assert len(codes) == len(set(codes))
    assert all(code.replace("_", "").isalpha() and code.islower() for code in codes)


def test_which_writes_may_have_taken_effect() -> None:
    ambiguous = {error for error in tree(HostlerError) if error.ambiguous}
    assert ambiguous == {InternalError, Timeout, Unreachable}
    assert not BackendError("x").ambiguous
    assert not Denied("x").ambiguous


def test_the_tree_is_drawn_as_it_is() -> None:
    assert errors.__doc__
    for error in tree(HostlerError):
        assert error.__name__ in errors.__doc__


def test_a_failed_plan_tells_all() -> None:
    outcome = Outcome(
        "p1", "vm/a", status="failed", failed="start VM a", left=["define VM a"], undo_error="no"
    )
    error = PlanFailed(outcome, Timeout("no answer", on="host", hint="Wait."))
    assert str(error) == (
        "could not start VM a: host: no answer. Undoing stopped: no. Still in effect: define VM a. "
        "See 'hostler plan show p1'; 'hostler plan resume p1' finishes it, "
        "'hostler plan undo p1' takes it back. Wait."
    )


@pytest.mark.parametrize("error", [HostlerError("a", on="b", hint="c"), Timeout("a", on="b")])
def test_errors_cross_processes(error: HostlerError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(again), again.what, again.on, again.hint) == (
        type(error), error.what, error.on, error.hint
    )  # fmt: skip
