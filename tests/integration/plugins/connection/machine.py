# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Into the machine of tests/rigs/machine, by its namespaces."""

from __future__ import annotations

import os
import shlex
import shutil
from typing import Any

from ansible.plugins.connection.local import Connection as LocalConnection

DOCUMENTATION = """
name: machine
short_description: a machine of the rig
description: The local connection, in the namespaces of a process.
author: Hostler contributors
extends_documentation_fragment: [connection_pipelining]
options:
  become_success_timeout:
    description: As of the local connection.
    type: int
    default: 10
  become_strip_preamble:
    description: As of the local connection.
    type: bool
    default: true
"""


class Connection(LocalConnection):  # type: ignore[misc]
    transport = "machine"

    def exec_command(self, cmd: str, *args: Any, **kwargs: Any) -> Any:
        """Run a command inside."""
        pid = os.environ["HOSTLER_TEST_MACHINE"]
        kinds = ("--mount", "--net", "--uts", "--pid", "--ipc", "--cgroup", "--root", "--wd")
        words = ["nsenter", "--target", pid, *kinds, "--", "/bin/sh", "-c", cmd]
        return super().exec_command(shlex.join(words), *args, **kwargs)

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file into it."""
        shutil.copyfile(in_path, _inside(out_path))

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file out of it."""
        shutil.copyfile(_inside(in_path), out_path)


def _inside(path: str) -> str:
    return f"/proc/{os.environ['HOSTLER_TEST_MACHINE']}/root{path}"
