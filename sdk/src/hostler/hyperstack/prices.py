# SPDX-License-Identifier: Apache-2.0
"""What a flavor costs. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from hostler.models.hyperstack import Flavor, FlavorOffer, Price

_SPOT = "-spot"


def price_of(flavor: Flavor, prices: Iterable[Price]) -> float | None:
    """Return what a flavor costs an hour in dollars; None where the price book does not tell.

    The price book has GPUs by their models, each at its price; one of the flavor's own name comes
    first. Spot flavors are priced by entries of their own.
    """
    book = {price.name: price.value for price in prices}
    name = flavor.name or ""
    if book.get(name) is not None:
        return book[name]
    if not flavor.gpu or not flavor.gpu_count:
        return None
    model = f"{flavor.gpu}{_SPOT}" if name.endswith(_SPOT) else flavor.gpu
    each = book.get(model)
    return None if each is None else round(each * flavor.gpu_count, 6)


def offers(flavors: Iterable[Flavor], prices: Iterable[Price]) -> list[FlavorOffer]:
    """Return flavors with their prices."""
    book = list(prices)
    return [
        FlavorOffer.model_validate(
            {**flavor.model_dump(), "price_per_hour": price_of(flavor, book)}
        )
        for flavor in flavors
    ]
