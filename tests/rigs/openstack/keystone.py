# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keystone: its process, the service user and the catalog."""

from __future__ import annotations

from rigs.openstack import processes
from rigs.openstack.api import Cloud, Json, answers
from rigs.openstack.layout import LIB, PASSWORD, PORTS, PYTHON, REGION, url

# name, type, path: what the catalog lists besides Keystone itself
_CATALOG = (
    ("nova", "compute", "/v2.1"),
    ("placement", "placement", ""),
    ("neutron", "network", ""),
    ("glance", "image", ""),
)


def start() -> None:
    """Start Keystone and wait until it answers."""
    serve("keystone", "keystone.wsgi.api", threads=8)
    processes.wait("Keystone", lambda: answers("keystone"), 60, ["keystone"])


def serve(service: str, module: str, threads: int) -> None:
    """Start the process of one API."""
    options = (service, module, str(PORTS[service]), str(threads))
    processes.start(service, PYTHON, LIB / "serve_api.py", *options)


def fill_catalog() -> None:
    """Make the service user and register the other services. For a Keystone just bootstrapped."""
    cloud = Cloud()
    project = _create(cloud, "project", {"name": "service", "domain_id": "default"})
    user = _create(cloud, "user", {"name": "svc", "domain_id": "default", "password": PASSWORD})
    role = roles(cloud)
    for name in ("admin", "service"):
        cloud.put("keystone", f"/v3/projects/{project}/users/{user}/roles/{role[name]}")
    for name, kind, path in _CATALOG:
        service = _create(cloud, "service", {"name": name, "type": kind})
        for interface in ("public", "internal", "admin"):
            endpoint = {
                "service_id": service,
                "interface": interface,
                "url": url(name) + path,
                "region_id": REGION,
            }
            _create(cloud, "endpoint", endpoint)


def roles(cloud: Cloud) -> dict[str, str]:
    """The ids of all roles, by name."""
    return {role["name"]: role["id"] for role in cloud.get("keystone", "/v3/roles")["roles"]}


def _create(cloud: Cloud, kind: str, what: Json) -> str:
    created = cloud.post("keystone", f"/v3/{kind}s", {kind: what})
    return str(created[kind]["id"])
