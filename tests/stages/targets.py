# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-test's integration targets on the rigs: targets.py GROUP [TARGET...].

GROUP is libvirt, hyperstack or openstack, as in the targets' `aliases`. Each has a copy of the
collection of its own, since ansible-test keeps one output folder in each.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from rigs.hyperstack.furniture import furnish  # noqa: E402
from rigs.openstack import launching  # noqa: E402
from rigs.openstack.layout import CLOUDS, USE_LOCK  # noqa: E402

from hostler.testing.hyperstack import FakeHyperstack  # noqa: E402
from hostler.testing.netbox import FakeNetbox  # noqa: E402
from stages.in_collection import HOME, prepare_home, update_copy  # noqa: E402

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
HOSTS = ROOT / "tests" / "rigs" / "libvirt" / "hosts.sh"
NET = os.environ.get("HOSTLER_RIG_NET", f"10.98.{crc32(str(ROOT).encode()) % 250}")
RIGS = ROOT / ".cache" / "rigs"

Values = dict[str, Any]


@contextmanager
def libvirt() -> Iterator[Values]:
    """This machine's hypervisor, and two isolated ones."""
    with _lock(RIGS / "targets-hosts.lock"):
        _hosts("down")  # what a run that was killed has left
        _hosts("up", "a", "b")
        try:
            uris = [f"qemu+tcp://{NET}.{number}/system" for number in (1, 2)]
            yield {"libvirt_uri": "qemu:///system", "libvirt_hosts": uris}
        finally:
            _hosts("down")


@contextmanager
def hyperstack() -> Iterator[Values]:
    """A Hyperstack to test with."""
    with FakeHyperstack() as cloud:
        furnish(cloud)
        yield {"hyperstack_url": cloud.url, "hyperstack_api_key": str(cloud.api_key)}


@contextmanager
def openstack() -> Iterator[Values]:
    """The OpenStack that runs already, a NetBox, and a Hyperstack whose VMs are its servers."""
    with _lock(USE_LOCK), FakeHyperstack() as cloud, FakeNetbox() as netbox:
        launching.furnish(cloud)
        launching.Bridge(cloud)
        yield {
            "clouds_file": str(CLOUDS),
            "cloud": "box",
            "hyperstack_url": cloud.url,
            "hyperstack_api_key": str(cloud.api_key),
            "netbox_url": netbox.url,
            "netbox_token": netbox.token,
        }


GROUPS = {"libvirt": libvirt, "hyperstack": hyperstack, "openstack": openstack}


def run(group: str, targets: list[str]) -> int:
    """Run the targets, or all of the group; the exit code of ansible-test."""
    work = ROOT / ".cache" / f"ansible-test-{group}"
    copy = work / "ansible_collections" / "hostler" / "fleet"
    work.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(_lock(work / "lock"))
        update_copy(copy)
        prepare_home()
        values = stack.enter_context(GROUPS[group]())
        config = copy / "tests" / "integration" / "integration_config.yml"
        config.touch(mode=0o600)
        config.write_text(yaml.safe_dump(values))
        done = subprocess.run(
            [
                *("ansible-test", "integration", "--local", "--python", PYTHON, "--color", "no"),
                "--continue-on-error",
                *(targets or [f"hostler/{group}/"]),
            ],
            cwd=copy,
            env={**os.environ, "HOME": str(HOME), "ANSIBLE_COLLECTIONS_PATH": str(work)},
            check=False,
        )
    return done.returncode


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _hosts(*words: str) -> None:
    subprocess.run([HOSTS, *words], env={**os.environ, "HOSTLER_RIG_NET": NET}, check=True)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
