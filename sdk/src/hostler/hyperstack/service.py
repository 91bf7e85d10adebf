# SPDX-License-Identifier: Apache-2.0
"""fleet.hyperstack: VMs, firewalls, environments, keys, and what there is to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostler.errors import NotFound
from hostler.hyperstack.firewalls import Firewalls
from hostler.hyperstack.prices import offers
from hostler.hyperstack.things import Environments, Keypairs
from hostler.hyperstack.vms import HyperstackVms
from hostler.models.hyperstack import FlavorOffer, Image, Price, Region, Stock

if TYPE_CHECKING:
    from hostler.fleet import Fleet


class Hyperstack:
    """Hyperstack.

    Attributes:
        vms: VMs; firewalls: firewalls and their attachments.
        environments, keypairs: environments, and the SSH keys in them.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.vms = HyperstackVms(fleet)
        self.firewalls = Firewalls(fleet)
        self.environments = Environments(fleet)
        self.keypairs = Keypairs(fleet)

    def images(
        self, region: str | None = None, *, type: str | None = None, name: str | None = None
    ) -> list[Image]:
        """Read images.

        Args:
            region: only of this region, whatever its case.
            type: only of this type, such as ``Ubuntu``, whatever its case.
            name: only the one of exactly this name.
        """
        region = region.upper() if region else None
        return [
            image
            for image in self._fleet.hyperstack_api().images(region)
            if region in (None, image.region_name)
            and (type is None or (image.type or "").lower() == type.lower())
            and name in (None, image.name)
        ]

    def flavors(
        self, region: str | None = None, *, gpu: str | None = None, name: str | None = None
    ) -> list[FlavorOffer]:
        """Read flavors, each with what it costs.

        Args:
            region: only of this region, whatever its case.
            gpu: only with this GPU, as Hyperstack calls it.
            name: only the one of exactly this name.
        """
        api = self._fleet.hyperstack_api()
        region = region.upper() if region else None
        found = [
            flavor
            for flavor in api.flavors(region)
            if region in (None, flavor.region_name)
            and gpu in (None, flavor.gpu)
            and name in (None, flavor.name)
        ]
        return offers(found, api.prices())

    def price(self, flavor: str, region: str | None = None) -> float | None:
        """Return what a flavor costs an hour in dollars; None where the price book does not tell.

        Raises:
            NotFound: there is no such flavor.
        """
        found = self.flavors(region, name=flavor)
        if not found:
            raise NotFound("there is no such flavor", on=f"flavor {flavor!r}")
        return found[0].price_per_hour

    def prices(self) -> list[Price]:
        """Read the price book."""
        return self._fleet.hyperstack_api().prices()

    def stock(self, region: str | None = None, *, model: str | None = None) -> list[Stock]:
        """Read how many GPUs there are, by region and model."""
        return [
            stock
            for stock in self._fleet.hyperstack_api().stocks()
            if (region is None or stock.region.upper() == region.upper())
            and model in (None, stock.model)
        ]

    def regions(self) -> list[Region]:
        """Read the regions."""
        return self._fleet.hyperstack_api().regions()
