# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB, and the template: all schemas and an empty Keystone, kept as a tar file."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rigs.openstack import keystone, processes
from rigs.openstack.config import DATABASE, DATABASE_OPTIONS, configure
from rigs.openstack.install import MARIADBD
from rigs.openstack.layout import (
    BOX,
    DATA,
    ETC,
    LOCK_FILE,
    LOG,
    MYSQL,
    PASSWORD,
    REGION,
    SOCKET,
    SOURCE,
    VENV,
    fingerprint,
    url,
)
from rigs.openstack.processes import RigError, run

DATABASES = ("keystone", "placement", "glance", "neutron", "nova_api", "nova", "nova_cell0")


def start() -> None:
    """Start MariaDB and wait until it answers."""
    as_root = ["--user=root"] if os.getuid() == 0 else []
    processes.start("mariadbd", MARIADBD, f"--defaults-file={ETC}/my.cnf", *as_root)
    processes.wait("MariaDB", lambda: _sql("select 1"), 60, ["mariadbd"])


def ensure_data() -> None:
    """Have data: what is there, else a copy of the template, which is made when it is missing."""
    complete = DATA / "complete"
    if complete.exists():
        return
    processes.stop(["keystone", "mariadbd"], patience=60)  # of a start that was killed
    wipe()
    configure()
    for old in LOG.iterdir():
        old.unlink()
    template = _template()
    if not template.exists():
        _make(template)
    run("tar", "-C", BOX, "-xf", template, log="install.log")
    complete.touch()


def wipe() -> None:
    """Remove all data, so that the next start is from the template. Nothing may run."""
    shutil.rmtree(DATA, ignore_errors=True)


def _template() -> Path:
    here = Path(__file__)
    files = (LOCK_FILE, here, here.with_name("keystone.py"), here.with_name("layout.py"))
    return BOX / f"template-{fingerprint(*files, SOURCE / 'etc' / 'my.cnf')}.tar"


def _make(template: Path) -> None:
    """Make the template; what fails half-way leaves none."""
    print("database: schemas (once)", flush=True)
    try:
        _initialize()
        start()
        _sql(*(f"create database {name} character set utf8mb3" for name in DATABASES))
        jobs: tuple[Callable[[], None], ...] = (_neutron, _nova, _keystone, _others)
        with ThreadPoolExecutor(2) as pool:
            for job in [pool.submit(job) for job in jobs]:
                job.result()
        processes.stop(["keystone"])
        processes.stop(["mariadbd"], patience=60)
        for old in BOX.glob("template-*.tar"):
            old.unlink()
        part = template.with_suffix(".part")
        run("tar", "-C", BOX, "-cf", part, "data/mysql", "data/state/keystone", log="install.log")
        part.replace(template)
    finally:
        processes.stop(["keystone", "mariadbd"], patience=60)
        shutil.rmtree(MYSQL, ignore_errors=True)


def _initialize() -> None:
    as_root = ["--user=root"] if os.getuid() == 0 else []
    run("mariadb-install-db", f"--defaults-file={ETC}/my.cnf", "--skip-test-db",
        "--auth-root-authentication-method=normal", *as_root, log="install.log")  # fmt: skip


def _sql(*statements: str) -> bool:
    command = [
        "mariadb",
        "--no-defaults",
        "--socket",
        SOCKET,
        "-u",
        "root",
        "-e",
        ";".join(statements),
    ]
    result = subprocess.run(command, cwd=BOX, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RigError(f"MariaDB: {result.stderr.strip()}")
    return True


def _keystone() -> None:
    manage = ("keystone-manage", "--config-file", ETC / "keystone/keystone.conf")
    owner = ("--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid()))
    address = f"{url('keystone')}/v3"
    _tool(*manage, "db_sync")
    _tool(*manage, "fernet_setup", *owner)
    _tool(*manage, "credential_setup", *owner)
    _tool(*manage, "bootstrap", "--bootstrap-password", PASSWORD, "--bootstrap-region-id", REGION,
          "--bootstrap-public-url", address, "--bootstrap-internal-url", address,
          "--bootstrap-admin-url", address)  # fmt: skip
    keystone.start()
    keystone.fill_catalog()


def _nova() -> None:
    manage = ("nova-manage", "--config-file", ETC / "nova/nova.conf",
              "--config-file", ETC / "nova/controller.conf")  # fmt: skip
    cell0 = f"{DATABASE}/nova_cell0{DATABASE_OPTIONS}"
    _tool(*manage, "api_db", "sync")
    _tool(*manage, "cell_v2", "map_cell0", "--database_connection", cell0)
    _tool(*manage, "cell_v2", "create_cell", "--name", "cell1")
    _tool(*manage, "db", "sync")


def _neutron() -> None:
    files = (ETC / "neutron/neutron.conf", ETC / "neutron/plugins/ml2/ml2_conf.ini")
    options = (option for file in files for option in ("--config-file", file))
    _tool("neutron-db-manage", *options, "upgrade", "heads")


def _others() -> None:
    _tool("placement-manage", "--config-file", ETC / "placement/placement.conf", "db", "sync")
    _tool("glance-manage", "--config-file", ETC / "glance/glance-api.conf", "db_sync")


def _tool(name: str, *arguments: str | Path) -> None:
    run(VENV / "bin" / name, *arguments, log=f"database-{name}.log")
