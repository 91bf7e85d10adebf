# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the configuration: every file of etc/ with the names of layout.py filled in."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from string import Template

from rigs.openstack.cloud import Host
from rigs.openstack.layout import (
    APIS,
    CLOUDS,
    DATA,
    ETC,
    LOG,
    PASSWORD,
    PORTS,
    RABBIT,
    REGION,
    RUN,
    SOCKET,
    SOCKET_NAME,
    SOURCE,
    STATE,
    VENV,
    proxy_port,
    url,
)

TEMPLATES = SOURCE / "etc"
DATABASE = "mysql+pymysql://root@localhost"
DATABASE_OPTIONS = f"?unix_socket={SOCKET}&charset=utf8mb4"
PCI_DEVICE = '{"vendor_id": "10de", "product_id": "20b0"}'

# Ids that come out the same after every wipe.
_NAMESPACE = uuid.UUID("6f70656e-7374-6163-6b2d-726967000000")


def configure() -> None:
    """Make the folders and write all files that do not belong to one host."""
    folders = (RUN, LOG, RABBIT, STATE / "lock", STATE / "nova", STATE / "neutron")
    glance = tuple(STATE / "glance" / name for name in ("images", "staging", "tasks"))
    keys = tuple(STATE / "keystone" / name for name in ("fernet", "credential"))
    for folder in (*folders, *glance, *keys):
        folder.mkdir(parents=True, exist_ok=True)
    for folder in keys:
        folder.chmod(0o700)
    values = _values()
    for part in ("credentials", "authtoken", "messaging"):
        values[part] = _render(f"{part}.part", values).rstrip()
    for template in TEMPLATES.rglob("*"):
        relative = template.relative_to(TEMPLATES)
        if template.is_file() and relative.suffix != ".part" and relative.parts[0] != "compute":
            _write(str(relative), _render(str(relative), values))
    (ETC / "clouds.yaml").replace(CLOUDS)


def configure_host(host: Host, number: int) -> None:
    """Write one nova-compute's own files.

    Args:
        host: the host.
        number: 0 and up, for its address.
    """
    state = STATE / "compute" / host.name
    (state / "instances").mkdir(parents=True, exist_ok=True)
    (state / "compute_id").write_text(str(uuid.uuid5(_NAMESPACE, host.name)))
    folder = f"compute/{host.name}"
    values = _values() | {
        "host": host.name,
        "ip": f"10.78.{number // 250}.{number % 250 + 1}",
        "host_state": str(state),
        "host_etc": str(ETC / folder),
        "device_spec": f"device_spec = {PCI_DEVICE}" if host.pci else "",
        "resource_class": host.resource_class,
        "trait": host.trait,
        "gpus": str(host.gpus),
    }
    _write(f"{folder}/host.conf", _render("compute/host.conf", values))
    _write(f"{folder}/providers/provider.yaml", _render("compute/provider.yaml", values))


def _values() -> dict[str, str]:
    return {
        "data": str(DATA),
        "database": DATABASE,
        "database_options": DATABASE_OPTIONS,
        "etc": str(ETC),
        "log": str(LOG),
        "password": PASSWORD,
        "rabbit_port": str(PORTS["rabbit"]),
        "region": REGION,
        "run": str(RUN),
        "socket_name": SOCKET_NAME,
        "state": str(STATE),
        "venv": str(VENV),
        **{f"{api}_url": url(api) for api in APIS},
        **{f"proxied_{api}": f"http://127.0.0.1:{proxy_port(api)}" for api in APIS},
    }


def _render(name: str, values: Mapping[str, str]) -> str:
    return Template((TEMPLATES / name).read_text()).substitute(values)


def _write(name: str, text: str) -> None:
    path = ETC / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
