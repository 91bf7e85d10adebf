# SPDX-License-Identifier: Apache-2.0
"""Firewalls, environments, keys, and what there is to choose from."""

from __future__ import annotations

from itertools import groupby

from hostler.testing.hyperstack.bodies import NewEnvironment, NewFirewall, NewKeypair, NewRule
from hostler.testing.hyperstack.faults import Refused
from hostler.testing.hyperstack.routes import Answer, Request, by_id, by_name, ok, page, route
from hostler.testing.hyperstack.store import Row, Store, shown

_FIREWALL = "/core/firewalls/{id}"


@route("GET", "/core/firewalls")
def list_firewalls(store: Store, request: Request) -> Answer:
    """Return a page of firewalls."""
    return page(request, "firewalls", store.firewalls)


@route("POST", "/core/firewalls")
def create_firewall(store: Store, request: Request) -> Answer:
    """Make a firewall."""
    wanted = request.parsed(NewFirewall)
    environment = by_id(store.environments, wanted.environment_id, "environment")
    mine = [f for f in store.firewalls if f["environment"] is environment]
    if any(f["name"] == wanted.name for f in mine):
        raise Refused(409, f"A firewall with the name {wanted.name} exists already")
    firewall = store.add_firewall(wanted.name, environment["name"])
    firewall["description"] = wanted.description
    return ok("Firewall created", firewall=firewall)


@route("GET", _FIREWALL)
def get_firewall(store: Store, _request: Request, id: int) -> Answer:
    """Return a firewall."""
    return ok("Firewall", firewall=by_id(store.firewalls, id, "firewall"))


@route("DELETE", _FIREWALL)
def delete_firewall(store: Store, _request: Request, id: int) -> Answer:
    """Delete a firewall that is attached to nothing."""
    firewall = by_id(store.firewalls, id, "firewall")
    if firewall["attachments"]:
        raise Refused(400, "The firewall is attached to VMs")
    store.firewalls.remove(firewall)
    return ok("Firewall deleted")


@route("POST", f"{_FIREWALL}/firewall-rules")
def add_rule(store: Store, request: Request, id: int) -> Answer:
    """Add a rule; twins are not refused."""
    wanted, firewall = request.parsed(NewRule), by_id(store.firewalls, id, "firewall")
    rule = store.rule(**wanted.model_dump(exclude_unset=True))
    firewall["rules"].append(rule)
    return ok("Rule added", firewall_rule=rule)


@route("DELETE", f"{_FIREWALL}/firewall-rules/{{rule}}")
def remove_rule(store: Store, _request: Request, id: int, rule: int) -> Answer:
    """Remove a rule."""
    firewall = by_id(store.firewalls, id, "firewall")
    firewall["rules"].remove(by_id(firewall["rules"], rule, "rule"))
    return ok("Rule removed")


@route("GET", "/core/environments")
def list_environments(store: Store, request: Request) -> Answer:
    """Return a page of environments."""
    return page(request, "environments", store.environments)


@route("POST", "/core/environments")
def create_environment(store: Store, request: Request) -> Answer:
    """Make an environment."""
    wanted = request.parsed(NewEnvironment)
    by_name(store.regions, wanted.region, "region")
    if any(e["name"] == wanted.name for e in store.environments):
        raise Refused(409, f"An environment with the name {wanted.name} exists already")
    made = store.add_environment(wanted.name, wanted.region)
    return ok("Environment created", environment=made)


@route("DELETE", "/core/environments/{id}")
def delete_environment(store: Store, _request: Request, id: int) -> Answer:
    """Delete an environment with nothing in it but keys."""
    environment = by_id(store.environments, id, "environment")
    for table in (store.vms, store.firewalls, store.volumes):
        if any(row["environment"] is environment for row in table):
            raise Refused(400, "The environment is not empty")
    store.environments.remove(environment)
    store.keypairs = [k for k in store.keypairs if k["environment"] is not environment]
    return ok("Environment deleted")


@route("GET", "/core/environments/{id}/vm-quota")
def quota(store: Store, _request: Request, id: int) -> Answer:
    """Return how many VMs an environment may have."""
    environment = by_id(store.environments, id, "environment")
    most = environment["_max_vms"]
    have = sum(vm["environment"] is environment for vm in store.vms)
    return ok(
        "Quota",
        available_vms=max(0, most - have),
        current_vms=have,
        max_vms=most,
        cidr="10.0.0.0/16",
        percentage_used=round(100 * have / most, 1) if most else 100.0,
    )


@route("GET", "/core/keypairs")
def list_keypairs(store: Store, request: Request) -> Answer:
    """Return a page of SSH keys."""
    return page(request, "keypairs", store.keypairs)


@route("POST", "/core/keypairs")
def create_keypair(store: Store, request: Request) -> Answer:
    """Add an SSH key."""
    wanted = request.parsed(NewKeypair)
    environment = by_name(store.environments, wanted.environment_name, "environment")
    mine = [k for k in store.keypairs if k["environment"] is environment]
    if any(k["name"] == wanted.name for k in mine):
        raise Refused(409, f"A key with the name {wanted.name} exists already")
    made = store.add_keypair(wanted.name, environment["name"], wanted.public_key)
    return ok("Key added", keypair=made)


@route("DELETE", "/core/keypair/{id}")
def delete_keypair(store: Store, _request: Request, id: int) -> Answer:
    """Remove an SSH key."""
    store.keypairs.remove(by_id(store.keypairs, id, "keypair"))
    return ok("Key removed")


@route("GET", "/core/volumes")
def list_volumes(store: Store, request: Request) -> Answer:
    """Return a page of volumes."""
    return page(request, "volumes", store.volumes)


@route("GET", "/core/images")
def list_images(store: Store, request: Request) -> Answer:
    """Return a page of images, grouped by region and type."""
    region = request.query.get("region", "")
    found = [i for i in store.images if region in ("", i["region_name"])]
    number, length = request.number("page", 1), request.number("per_page", 10, most=100)
    part = found[(number - 1) * length : number * length]
    groups = [
        {
            "region_name": of[0],
            "type": of[1],
            "logo": "",
            "green_status": "GREEN",
            "images": list(i),
        }
        for of, i in groupby(part, key=lambda i: (i["region_name"], i["type"]))
    ]
    return ok("Images", images=groups)


@route("GET", "/core/flavors")
def list_flavors(store: Store, request: Request) -> Answer:
    """Return all flavors, grouped by GPU and region."""
    region = request.query.get("region", "")
    found = [f for f in store.flavors if region in ("", f["region_name"])]
    groups = [
        {"gpu": of[0], "region_name": of[1], "flavors": [_flavor(f) for f in flavors]}
        for of, flavors in groupby(found, key=lambda f: (f["gpu"], f["region_name"]))
    ]
    return ok("Flavors", data=groups)


@route("GET", "/core/regions")
def list_regions(store: Store, _request: Request) -> Answer:
    """Return the regions."""
    return ok("Regions", regions=store.regions)


@route("GET", "/core/stocks")
def list_stocks(store: Store, _request: Request) -> Answer:
    """Return the stock, without the usual frame."""
    return 200, {"stocks": shown(store.stocks)}


@route("GET", "/pricebook")
def pricebook(store: Store, _request: Request) -> Answer:
    """Return the price book, a bare list."""
    return 200, shown(store.prices)


def _flavor(flavor: Row) -> Row:
    return {**flavor, "stock_available": flavor["_stock"] != 0}
