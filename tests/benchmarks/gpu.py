# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GPU hosts on a real OpenStack of its own, with 58 of them and more than 100 servers."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NUMBER = os.environ.setdefault("HOSTLER_RIG_OPENSTACK", "2")  # the rig's modules read it
RAW = Path(__file__).resolve().parent / "raw"
HOSTS = [f"big-{number:03}" for number in range(1, 51)]
SERVERS = 100
MOVED = HOSTS[:20]
POOLS = ("L40-n3", "L40-n3-runpod")
PATIENCE = 300


@contextmanager
def cloud() -> Iterator[dict[str, str]]:
    """Have an OpenStack with many hosts and servers; the environment of its clients."""
    from rigs.openstack.layout import CLOUDS, SOURCE

    box = SOURCE / "box"
    try:
        subprocess.run([box, "up", *HOSTS], check=True)
        _fill()
        with tempfile.TemporaryDirectory() as folder:
            yield {
                "OS_CLIENT_CONFIG_FILE": str(CLOUDS),
                "OS_CLOUD": "box",
                "HOSTLER_STORE": f"sqlite:///{folder}/journal.db",
            }
    finally:
        subprocess.run([box, "wipe"], check=True)


def _fill() -> None:
    """Put the hosts into a pool, and servers on them."""
    from rigs.openstack.api import Cloud
    from rigs.openstack.cloud import IMAGE

    admin, tenant = Cloud(), Cloud("admin", "tenant-a")
    found = admin.get("nova", "/v2.1/os-aggregates")["aggregates"]
    pool = next(aggregate["id"] for aggregate in found if aggregate["name"] == POOLS[0])
    for host in HOSTS:
        admin.post("nova", f"/v2.1/os-aggregates/{pool}/action", {"add_host": {"host": host}})
    image = tenant.get("glance", "/v2/images", name=IMAGE)["images"][0]["id"]
    for host in HOSTS[len(MOVED) :]:
        body = {
            "name": f"{host}-server",
            "imageRef": image,
            "flavorRef": "n3-L40x1",
            "networks": "none",
            "host": host,
            "min_count": 4,
        }
        tenant.post("nova", "/v2.1/servers", {"server": body})
    deadline = time.monotonic() + PATIENCE
    while True:
        listed = admin.get("nova", "/v2.1/servers", all_tenants=1, status="ACTIVE")["servers"]
        if len(listed) > SERVERS:
            return
        assert time.monotonic() < deadline, f"only {len(listed)} servers run"
        time.sleep(2)


def python(script: str, *words: object) -> list[object]:
    """Return the command that runs a script beside this one."""
    return [sys.executable, RAW / script, *words]


def moves(parallel: int) -> list[object]:
    """Return the command that moves twenty hosts, so many at once."""
    return python("moves.py", parallel, *POOLS, *MOVED)
