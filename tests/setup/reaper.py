# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command and reaps every orphan that it leaves: reaper.py COMMAND [ARGUMENT...].

For machines whose PID 1 reaps late or never. libvirt takes a QEMU that nobody has reaped for one
that still runs, and waits for it in every destroy.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36  # <sys/prctl.h>


def main() -> int:
    """Run the command; return when it and all its descendants are gone."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        print(f"reaper: prctl: {os.strerror(ctypes.get_errno())}", file=sys.stderr)
        return 1
    command = subprocess.Popen(sys.argv[1:], start_new_session=True)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return command.returncode or 0


if __name__ == "__main__":
    sys.exit(main())
