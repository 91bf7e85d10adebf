# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything of the rig is: folders, ports, addresses."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
ROOT = SOURCE.parents[2]
LIB = SOURCE / "lib"
LOCK_FILE = SOURCE / "requirements.lock"

# HOSTLER_RIG_OPENSTACK=1 is a second rig, with data and ports of its own, beside the first.
NUMBER = int(os.environ.get("HOSTLER_RIG_OPENSTACK") or 0)
RIGS = ROOT / ".cache" / "rigs"
BOX = RIGS / (f"openstack-{NUMBER}" if NUMBER else "openstack")
USE_LOCK = BOX / "use.lock"
VENV = RIGS / "openstack" / "venv"
PYTHON = VENV / "bin" / "python"
ETC = BOX / "etc"
RUN = BOX / "run"
LOG = BOX / "log"
DATA = BOX / "data"
STATE = DATA / "state"
MYSQL = DATA / "mysql"
RABBIT = BOX / "rabbit"
CLOUDS = BOX / "clouds.yaml"

# A socket's path may have 107 bytes at most, and a checkout may be deep: all processes run in BOX
# and use this relative one. (mariadbd itself resolves the name against its data folder.)
SOCKET_NAME = "mysql.sock"
SOCKET = f"data/mysql/{SOCKET_NAME}"

PASSWORD = "box"
REGION = "RegionOne"

# The usual ports + 10000; the fault proxy's + 20000; + 200 for each further rig.
SHIFT = 200 * NUMBER
PORTS = {
    "keystone": 15000 + SHIFT,
    "nova": 18774 + SHIFT,
    "placement": 18778 + SHIFT,
    "neutron": 19696 + SHIFT,
    "glance": 19292 + SHIFT,
    "rabbit": 15672 + SHIFT,
    "rabbit_dist": 35672 + SHIFT,
    "epmd": 14369 + SHIFT,
}
APIS = ("keystone", "placement", "glance", "neutron", "nova")
PROXY_CONTROL_PORT = 25099 + SHIFT


def url(service: str) -> str:
    """The address of an API, without a path."""
    return f"http://127.0.0.1:{PORTS[service]}"


def proxy_port(service: str) -> int:
    """The port where the fault proxy stands in front of an API."""
    return PORTS[service] + 10000


def fingerprint(*files: Path) -> str:
    """A short hash of the files' content, to tell whether what was made from them is still good."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
