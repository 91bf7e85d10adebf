# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command in a clean copy of the collection: in_collection.py COMMAND [ARGUMENT...].

ansible-test wants the collection at ansible_collections/<namespace>/<name>, as a git work tree of
real files. The copy holds what git would commit now, and is brought up to date at each call.
"""

from __future__ import annotations

import fcntl
import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / ".cache" / "ansible-test"
COPY = WORK / "ansible_collections" / "hostler" / "fleet"
HOME = WORK / "home"

# ansible-test fetches pip's installer from a server of its own; Python brings one.
GET_PIP = """\
from subprocess import DEVNULL, check_call
import sys
python = [sys.executable, "-m"]
arguments = [a for a in sys.argv[1:] if a not in ("--no-setuptools", "--no-wheel")]
check_call([*python, "ensurepip", "--upgrade", "--default-pip"], stdout=DEVNULL)
check_call([*python, "pip", "install", *arguments])
"""
PIP_VERSIONS = ("24_2", "25_2")  # asked for by ansible-core 2.19, and by 2.20 and 2.21


def update_copy(copy: Path = COPY) -> None:
    """Make the copy's files those of the checkout, and leave what tools put beside them."""
    wanted = {name for name in _git_files(ROOT) if (ROOT / name).exists()}
    if not (copy / ".git").exists():
        copy.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "init", "--quiet", copy], check=True)
    for name in _git_files(copy) - wanted:
        (copy / name).unlink(missing_ok=True)
    for name in wanted:
        _copy(ROOT / name, copy / name)


def prepare_home() -> None:
    """Keep ansible-test's caches out of the user's home, and the user's settings within reach."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in PIP_VERSIONS:
        (cache / f"get_pip_{version}.py").write_text(GET_PIP)
    for name in (".config", ".cache", ".pip", ".gitconfig"):
        theirs, ours = Path.home() / name, HOME / name
        if theirs.exists() and not ours.is_symlink():
            ours.symlink_to(theirs)


def _git_files(folder: Path) -> set[str]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return set(filter(None, listing.stdout.split("\0")))


def _copy(source: Path, target: Path) -> None:
    if target.is_file() and filecmp.cmp(source, target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target, follow_symlinks=False)


def main(command: list[str]) -> None:
    """Bring the copy up to date and become the command."""
    WORK.mkdir(parents=True, exist_ok=True)
    with (WORK / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        update_copy()
        prepare_home()
    os.environ |= {"HOME": str(HOME), "ANSIBLE_COLLECTIONS_PATH": str(WORK)}
    os.chdir(COPY)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
