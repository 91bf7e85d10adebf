# SPDX-License-Identifier: Apache-2.0
"""HyperstackApi: the API's operations by name, its answers as models."""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import quote

from hostler.backends.hyperstack import faults
from hostler.backends.hyperstack.client import PAGE, Client, Query
from hostler.backends.hyperstack.firewalls import FirewallApi
from hostler.backends.hyperstack.parsing import parsed
from hostler.backends.hyperstack.vms import VmApi
from hostler.errors import NotFound
from hostler.models.hyperstack import (
    Environment,
    Flavor,
    Image,
    Keypair,
    Price,
    Quota,
    Region,
    Seen,
    Stock,
    Volume,
)
from hostler.models.hyperstack_config import HyperstackConfig

Thing = TypeVar("Thing", bound=Seen)


class HyperstackApi:
    """One Hyperstack. Threads may share it.

    Attributes:
        vms: virtual machines; firewalls: firewalls and their attachments.
    """

    def __init__(self, config: HyperstackConfig) -> None:
        self.config = config
        self._client = Client(config)
        self.vms = VmApi(self._client)
        self.firewalls = FirewallApi(self._client)

    def __str__(self) -> str:
        return str(self._client)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    # environments and keys

    def environments(self) -> list[Environment]:
        """Read all environments."""
        return self._list(Environment, "/core/environments", "environments")

    def environment(self, name: str) -> Environment:
        """Read an environment by its exact name.

        Raises:
            NotFound: there is none.
        """
        there = self.environments()
        for one in there:
            if one.name == name:
                return one
        names = ", ".join(sorted(e.name for e in there)) or "none"
        raise NotFound(f"there is no environment {name!r} (there: {names})", on=str(self))

    def create_environment(self, name: str, region: str) -> None:
        """Make an environment."""
        self._client.act("POST", "/core/environments", {"name": name, "region": region})

    def delete_environment(self, number: int) -> None:
        """Delete an environment; Hyperstack refuses while something is in it."""
        self._client.act("DELETE", f"/core/environments/{number}")

    def quota(self, environment: int) -> Quota:
        """Read how many VMs an environment may have."""
        path = f"/core/environments/{environment}/vm-quota"
        return self._one(Quota, self._client.read(path), path)

    def keypairs(self) -> list[Keypair]:
        """Read the SSH keys of all environments."""
        return self._list(Keypair, "/core/keypairs", "keypairs")

    def create_keypair(self, name: str, environment: str, public_key: str) -> None:
        """Add an SSH key to an environment."""
        body = {"name": name, "environment_name": environment, "public_key": public_key}
        self._client.act("POST", "/core/keypairs", body)

    def delete_keypair(self, number: int) -> None:
        """Remove an SSH key."""
        self._client.act("DELETE", f"/core/keypair/{number}")

    # what there is to choose from

    def images(self, region: str | None = None) -> list[Image]:
        """Read images, of one region or of all."""
        path = "/core/images"

        def rows(body: Any) -> list[dict[str, Any]]:
            groups = body.get("images") if isinstance(body, dict) else None
            if not isinstance(groups, list):
                raise faults.strange("it has no list 'images'", f"{self}: {path}")
            return [row for group in groups for row in group.get("images") or ()]

        query = {"per_page": PAGE, **({"region": region} if region else {})}
        found = self._client.pages_of(path, rows, query, counted=False)
        return [self._one(Image, row, path) for row in found]

    def flavors(self, region: str | None = None) -> list[Flavor]:
        """Read flavors, of one region or of all."""
        path = "/core/flavors"
        groups = self._rows(path, "data", {"region": region} if region else None)
        rows = [
            {
                "gpu": group.get("gpu"),
                "region_name": group.get("region_name"),
                **{k: v for k, v in row.items() if v is not None},
            }
            for group in groups
            for row in group.get("flavors") or ()
        ]
        return [self._one(Flavor, row, path) for row in rows]

    def regions(self) -> list[Region]:
        """Read the regions."""
        path = "/core/regions"
        return [self._one(Region, row, path) for row in self._rows(path, "regions")]

    def stocks(self) -> list[Stock]:
        """Read the stock of GPUs, one for each region and model."""
        path = "/core/stocks"
        rows = [
            {"region": stock.get("region"), "stock_type": stock.get("stock-type"), **model}
            for stock in self._rows(path, "stocks")
            for model in stock.get("models") or ()
        ]
        return [self._one(Stock, row, path) for row in rows]

    def prices(self) -> list[Price]:
        """Read the price book."""
        rows = self._client.read("/pricebook")
        if not isinstance(rows, list):
            raise faults.strange("it is no list", f"{self}: /pricebook")
        return [self._one(Price, row, "/pricebook") for row in rows]

    def volumes(self) -> list[Volume]:
        """Read the volumes of all environments."""
        return self._list(Volume, "/core/volumes", "volumes")

    def name_is_free(self, name: str) -> bool:
        """Whether no VM of the organisation has this name."""
        path = f"/core/virtual-machines/name-availability/{quote(name, safe='')}"
        return bool(self._client.read(path).get("available"))

    def _list(self, model: type[Thing], path: str, key: str) -> list[Thing]:
        return [self._one(model, row, path) for row in self._client.pages(path, key)]

    def _rows(self, path: str, key: str, query: Query | None = None) -> list[dict[str, Any]]:
        body = self._client.read(path, query)
        rows = body.get(key) if isinstance(body, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise faults.strange(f"it has no list {key!r}", f"{self}: {path}")
        return rows

    def _one(self, model: type[Thing], row: Any, path: str) -> Thing:
        return parsed(model, row, f"{self}: {path}")
