# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a cloud, empty or used, to the state of cloud.py: seeding and resetting are one thing.

Here: what tests seldom touch (users, image, flavors, networks). What they move is in computes.py.
"""

from __future__ import annotations

from rigs.openstack import cloud as seeded
from rigs.openstack import computes, faults
from rigs.openstack.api import Cloud, Json
from rigs.openstack.keystone import roles
from rigs.openstack.layout import PASSWORD


def reset() -> None:
    """Make the cloud what cloud.py says, and the fault proxy transparent."""
    faults.Faults().clear()
    cloud = Cloud()
    projects = _users(cloud)
    image = _image(cloud)
    flavors = _flavors(cloud)
    networks = _networks(cloud, projects)
    computes.reset(cloud, computes.Ids(projects, image, flavors, networks))


def _users(cloud: Cloud) -> dict[str, str]:
    """Ensure the tenants and their users; the ids of the projects by name."""
    projects = _by_name(cloud.get("keystone", "/v3/projects")["projects"])
    users = _by_name(cloud.get("keystone", "/v3/users")["users"])
    role = roles(cloud)
    for tenant in seeded.TENANTS:
        if tenant not in projects:
            body = {"project": {"name": tenant, "domain_id": "default"}}
            projects[tenant] = cloud.post("keystone", "/v3/projects", body)["project"]["id"]
            _grant(cloud, projects[tenant], users["admin"], role["admin"])
        if tenant not in users:
            _grant(cloud, projects[tenant], _user(cloud, tenant), role["member"])
    if seeded.READER not in users:
        reader = _user(cloud, seeded.READER)
        _grant(cloud, projects[seeded.TENANTS[0]], reader, role["reader"])
    return {name: id for name, id in projects.items() if name in seeded.TENANTS}


def _user(cloud: Cloud, name: str) -> str:
    body = {"user": {"name": name, "domain_id": "default", "password": PASSWORD}}
    return str(cloud.post("keystone", "/v3/users", body)["user"]["id"])


def _grant(cloud: Cloud, project: str, user: str, role: str) -> None:
    cloud.put("keystone", f"/v3/projects/{project}/users/{user}/roles/{role}")


def _image(cloud: Cloud) -> str:
    found = cloud.get("glance", "/v2/images", name=seeded.IMAGE)["images"]
    if found:
        return str(found[0]["id"])
    body = {
        "name": seeded.IMAGE,
        "disk_format": "raw",
        "container_format": "bare",
        "visibility": "public",
    }
    image = str(cloud.post("glance", "/v2/images", body)["id"])
    cloud.call("PUT", "glance", f"/v2/images/{image}/file", bytes(4096))
    return image


def _flavors(cloud: Cloud) -> dict[str, str]:
    """Ensure the flavors and no others; their ids by name."""
    found = _by_name(cloud.get("nova", "/v2.1/flavors")["flavors"])
    wanted = {flavor.name: flavor for flavor in seeded.FLAVORS}
    for name in found.keys() - wanted.keys():
        cloud.delete("nova", f"/v2.1/flavors/{found.pop(name)}", missing_ok=True)
    for name in wanted.keys() - found.keys():
        flavor = wanted[name]
        body = {
            "name": name,
            "id": name,
            "vcpus": flavor.vcpus,
            "ram": flavor.ram,
            "disk": flavor.disk,
        }
        cloud.post("nova", "/v2.1/flavors", {"flavor": body})
        if flavor.extra_specs:
            specs = {"extra_specs": flavor.extra_specs}
            cloud.post("nova", f"/v2.1/flavors/{name}/os-extra_specs", specs)
        found[name] = name
    return found


def _networks(cloud: Cloud, projects: dict[str, str]) -> dict[str, str]:
    """Ensure the networks; their ids by name."""
    found = _by_name(cloud.get("neutron", "/v2.0/networks")["networks"])
    for network in seeded.NETWORKS:
        if network.name not in found:
            found[network.name] = _network(cloud, network, projects)
    return found


def _network(cloud: Cloud, network: seeded.Network, projects: dict[str, str]) -> str:
    body: Json = {"name": network.name, "shared": bool(network.vlan)}
    owner = {"project_id": projects[network.tenant]} if network.tenant else {}
    if network.vlan:
        body |= {
            "provider:network_type": "vlan",
            "provider:physical_network": "physnet1",
            "provider:segmentation_id": network.vlan,
        }
    created = cloud.post("neutron", "/v2.0/networks", {"network": body | owner})
    id = str(created["network"]["id"])
    subnet = {
        "name": network.name.removesuffix("-network").removesuffix("-net") + "-subnet",
        "network_id": id,
        "ip_version": 4,
        "cidr": network.cidr,
        "enable_dhcp": False,
    }
    cloud.post("neutron", "/v2.0/subnets", {"subnet": subnet | owner})
    return id


def _by_name(items: list[Json]) -> dict[str, str]:
    return {item["name"]: item["id"] for item in items}
