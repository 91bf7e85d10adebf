# SPDX-License-Identifier: Apache-2.0
"""A log that grows: whole lines, once each; files that are begun anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler import Fleet
from hostler.backends.libvirt.logs import MOST, LocalFile
from hostler.errors import BackendError, Denied, InvalidInput, NotFound
from hostler.logs import parse
from hostler.logs.sources import TextLog


def texts(log: TextLog) -> list[str]:
    return [entry.message for entry in log.more()]


def test_growth(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("one\ntwo\nthr")
    log = TextLog(LocalFile(str(file)), parse.console)
    assert [entry.message for entry in log.last(2, None)] == ["two", "thr"]
    assert texts(log) == []
    with file.open("a") as out:
        out.write("ee\nfour\nfi")
    assert texts(log) == ["ee", "four"]
    with file.open("a") as out:
        out.write("ve\n")
    assert texts(log) == ["five"]


@pytest.mark.fault
def test_a_log_that_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("a long first line\n")
    log = TextLog(LocalFile(str(file)), parse.console)
    log.last(10, None)
    file.write_text("new\n")
    assert texts(log) == ["new"]


@pytest.mark.fault
def test_a_huge_log(tmp_path: Path) -> None:
    """Its last part is read, no more."""
    file = tmp_path / "log"
    file.write_text("x" * 99 + "\n", newline="\n")
    with file.open("ab") as out:
        out.truncate(50 * MOST)
        out.seek(0, 2)
        out.write(b"\nlast\n")
    data, end = LocalFile(str(file)).read(None)
    assert (len(data), end) == (MOST, 50 * MOST + 6)
    assert [e.message for e in TextLog(LocalFile(str(file)), parse.console).last(1, None)] == [
        "last"
    ]


@given(st.lists(st.binary(max_size=20), max_size=10))
def test_every_whole_line_comes_once(parts: list[bytes]) -> None:
    class Grows:
        def __init__(self) -> None:
            self.data = b""

        def read(self, offset: int | None) -> tuple[bytes, int]:
            return self.data[offset or 0 :], len(self.data)

    file = Grows()
    log = TextLog(file, lambda lines: parse.printed(lines, "x"))
    log.last(1, None)
    found = []
    for part in parts:
        file.data += part
        found += texts(log)
    whole = b"".join(parts).rpartition(b"\n")[0].decode(errors="replace")
    assert found == [e.message for e in parse.printed(whole.split("\n"), "x")]


@pytest.mark.fault
def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        LocalFile(str(tmp_path / "none")).read(None)
    with pytest.raises(Denied):
        LocalFile(str(tmp_path)).read(None)


def test_the_test_driver_has_no_logs() -> None:
    with Fleet(uri="test:///default") as fleet:
        with pytest.raises(BackendError, match="no log can be read"):
            fleet.logs.read("test")
        with pytest.raises(NotFound, match="keeps no log"):
            fleet.logs.read("test", sources=["console"])
        with pytest.raises(NotFound):
            fleet.logs.read("nobody")
        with pytest.raises(InvalidInput):
            fleet.logs.read("test", lines=0)
