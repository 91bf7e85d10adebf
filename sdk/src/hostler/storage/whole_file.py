# SPDX-License-Identifier: Apache-2.0
"""Files of this machine that are there whole, or not at all."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from hostler.errors import BackendError, Conflict, HostlerError, InvalidInput


def file_at(path: str) -> Path:
    """Return where a file is, or will be; links are followed.

    Raises:
        InvalidInput: there is something else than a file, or no folder to put it in.
    """
    found, on = Path(path).expanduser().absolute().resolve(), f"file {path}"
    if found.is_dir():
        raise InvalidInput("it is a folder", on=on, hint="Add the file's name.")
    if found.exists() and not found.is_file():
        raise InvalidInput("it is no plain file", on=on, hint="Name another one.")
    if not found.parent.is_dir():
        hint = "Make it first; files are written on the machine that runs this."
        raise InvalidInput(f"there is no folder {found.parent}", on=on, hint=hint)
    return found


def write_whole(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file under another name, then put it in its place; nothing is left on failure.

    Parts of zeros become holes.

    Raises:
        Conflict: another process is writing it.
        BackendError: it can't be written.
    """
    try:
        with _part(path) as stream:
            for part in parts:
                if part.strip(b"\0"):
                    stream.write(part)
                else:
                    stream.seek(len(part), os.SEEK_CUR)
            stream.truncate()
            stream.flush()
            os.fsync(stream.fileno())
            part_of(path).replace(path)
    except OSError as error:
        raise _failed(error, path) from error


def same_content(path: Path, parts: Iterable[bytes]) -> bool:
    """Whether a file has a content.

    Raises:
        BackendError: it can't be read.
    """
    try:
        with path.open("rb") as stream:
            return all(stream.read(len(part)) == part for part in parts) and not stream.read(1)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _failed(error, path) from error


def part_of(path: Path) -> Path:
    """Return the name of a file while it is written."""
    return path.with_name(f".{path.name}.part")


@contextmanager
def _part(path: Path) -> Iterator[IO[bytes]]:
    """Open an empty file for this process alone; what a killed one has left is written over."""
    part = part_of(path)
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666), "r+b") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _busy(path) from None
        if not part.exists() or not os.path.samestat(part.stat(), os.fstat(stream.fileno())):
            raise _busy(path)  # the other one has just put it in its place
        try:
            stream.truncate(0)
            yield stream
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise


def _busy(path: Path) -> HostlerError:
    return Conflict("another process is writing it", on=f"file {path}", hint="Wait for it.")


def _failed(error: OSError, path: Path) -> BackendError:
    hint = "See to its folder: free space, permissions."
    return BackendError(f"it failed: {error.strerror}", on=f"file {path}", hint=hint)
