# SPDX-License-Identifier: Apache-2.0
"""Programs on a terminal of their own."""

from __future__ import annotations

import os
import pty
from collections.abc import Mapping, Sequence
from contextlib import suppress


def on_terminal(
    words: Sequence[str], *, typed: bytes = b"", env: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run a program where something is typed at once; its exit code and all that was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(words[0], [*words], os.environ if env is None else env)
    os.write(terminal, typed)
    shown = b""
    with suppress(OSError):  # the other end is closed: the program is gone
        while part := os.read(terminal, 4096):
            shown += part
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    return code, shown.decode()
