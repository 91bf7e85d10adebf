# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.hyperstack_environment, hyperstack_keypair, and what there is to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack import (
    CHANGES,
    HYPERSTACK,
    READS,
    item,
)
from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    Module,
    Params,
    Result,
    Spec,
    given,
)

if TYPE_CHECKING:
    from hostler import Fleet
    from hostler.models.hyperstack import Image

PRESENCE: Spec = {"type": "str", "choices": ["present", "absent"], "default": "present"}
ENVIRONMENT_TASK: Spec = {
    "name": {"type": "str", "required": True},
    "region": {"type": "str"},
    "state": PRESENCE,
}
KEYPAIR_TASK: Spec = {
    "name": {"type": "str", "required": True},
    "environment": {"type": "str", "required": True},
    "public_key": {"type": "str"},
    "state": PRESENCE,
}
TEXT: Spec = {"type": "str"}


def environment(fleet: Fleet, params: Params, check: bool) -> Result:
    """Make or delete an environment."""
    task = given(params, ENVIRONMENT_TASK)
    return item(fleet.hyperstack.environments.run(task, check=check), "environment")


def keypair(fleet: Fleet, params: Params, check: bool) -> Result:
    """Add or remove an SSH key."""
    task = given(params, KEYPAIR_TASK)
    return item(fleet.hyperstack.keypairs.run(task, check=check), "keypair")


def environments(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read environments, with their keys and quotas."""
    there = fleet.hyperstack.environments
    keys = fleet.hyperstack.keypairs.list()
    found = [
        {
            **one.model_dump(mode="json"),
            "keypairs": [key.name for key in keys if key.environment.name == one.name],
            "quota": there.quota(one.name).model_dump(mode="json") if params["quota"] else None,
        }
        for one in there.list(params["region"])
        if params["name"] in (None, one.name)
    ]
    return {"changed": False, "environments": found}


def images(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read images."""
    filters = {name: params[name] for name in ("type", "name")}
    found = fleet.hyperstack.images(params["region"], **filters)
    return {"changed": False, "images": [_image(image) for image in found]}


def flavors(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read flavors."""
    filters = {name: params[name] for name in ("gpu", "name")}
    found = fleet.hyperstack.flavors(params["region"], **filters)
    return {"changed": False, "flavors": [one.model_dump(mode="json") for one in found]}


def stock(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read the stock."""
    found = fleet.hyperstack.stock(params["region"], model=params["model"])
    return {"changed": False, "stock": [one.model_dump(mode="json") for one in found]}


def regions(fleet: Fleet, _params: Params, _check: bool) -> Result:
    """Read the regions."""
    found = fleet.hyperstack.regions()
    return {"changed": False, "regions": [one.model_dump(mode="json") for one in found]}


def _image(image: Image) -> dict[str, Any]:
    """Return an image with the specification's words beside Hyperstack's own."""
    whole = image.model_dump(mode="json")
    size = image.display_size or (None if image.size is None else str(image.size))
    return {**whole, "region": image.region_name, "size": size, "size_bytes": image.size}


def _module(run: Any, needs: tuple[str, ...] = READS, **options: Spec) -> Module:
    return Module(arguments={"argument_spec": {**HYPERSTACK, **options}}, run=run, needs=needs)


ENVIRONMENT = _module(environment, CHANGES, **ENVIRONMENT_TASK)
KEYPAIR = _module(keypair, CHANGES, **KEYPAIR_TASK)
ENVIRONMENTS = _module(
    environments, name=TEXT, region=TEXT, quota={"type": "bool", "default": False}
)
IMAGES = _module(images, region=TEXT, type=TEXT, name=TEXT)
FLAVORS = _module(flavors, region=TEXT, gpu=TEXT, name=TEXT)
STOCK = _module(stock, region=TEXT, model=TEXT)
REGIONS = _module(regions)
