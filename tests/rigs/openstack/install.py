# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install what is missing: MariaDB and RabbitMQ from Debian, OpenStack from PyPI in one venv."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rigs.openstack.layout import BOX, LOCK_FILE, PYTHON, VENV, fingerprint
from rigs.openstack.processes import RigError, run

MARIADBD = Path("/usr/sbin/mariadbd")
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
PACKAGES = ("mariadb-server-core", "mariadb-client-core", "rabbitmq-server")
_POLICY = Path("/usr/sbin/policy-rc.d")
_STAMP = VENV / "requirements.hash"


def install() -> None:
    """Install the packages and the venv, unless they are there."""
    if not (MARIADBD.exists() and RABBITMQ.exists()):
        _install_packages()
    if not _STAMP.exists() or _STAMP.read_text() != fingerprint(LOCK_FILE):
        _install_venv()


def _install_packages() -> None:
    if not shutil.which("apt-get"):
        raise RigError(f"only apt is known here; install MariaDB and RabbitMQ: {PACKAGES}")
    if os.getuid() != 0:
        raise RigError(
            f"as root, once: apt-get install --no-install-recommends {' '.join(PACKAGES)}"
        )
    print("apt: " + " ".join(PACKAGES), flush=True)
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    BOX.mkdir(parents=True, exist_ok=True)
    with _nothing_started():
        run("apt-get", "-q", "update", log="install.log", env=env)
        run("apt-get", "-q", "-y", "--no-install-recommends", "install", *PACKAGES,
            log="install.log", env=env)  # fmt: skip


@contextmanager
def _nothing_started() -> Iterator[None]:
    """Have dpkg start no service: policy-rc.d of invoke-rc.d(8)."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _install_venv() -> None:
    print("venv: keystone, placement, glance, neutron, nova from PyPI", flush=True)
    BOX.mkdir(parents=True, exist_ok=True)
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    run(sys.executable, "-m", "venv", "--clear", VENV, log="install.log", env=env)
    run(PYTHON, "-m", "pip", "install", "--no-deps", "--disable-pip-version-check",
        "--requirement", LOCK_FILE, log="install.log", env=env)  # fmt: skip
    _STAMP.write_text(fingerprint(LOCK_FILE))
