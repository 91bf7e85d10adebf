# SPDX-License-Identifier: Apache-2.0
"""Placement: what hosts have of GPUs, and its mirror of Nova's aggregates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from hostler.models.nova import Amount

if TYPE_CHECKING:
    from hostler.backends.openstack.cloud import Cloud

Amounts = dict[str, Amount]
"""By resource class."""


class Mirror(NamedTuple):
    """A provider's aggregates by uuid, and the generation that a change of them must name."""

    aggregates: frozenset[str]
    generation: int


class PlacementApi:
    """What we ask of Placement."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def amounts(self) -> dict[str, Amounts]:
        """Return what every root provider has, its children's (PCI devices) included.

        One call: candidates for one megabyte of memory are all hosts that have one left, and their
        summaries hold all resource classes (microversion 1.29). A host without it is missing here:
        see ``amounts_of``.
        """
        answer = self._cloud.call(
            "placement",
            "GET",
            "/allocation_candidates",
            params={"resources": "MEMORY_MB:1"},
            version="1.29",
        )
        found: defaultdict[str, Amounts] = defaultdict(dict)
        for summary in answer["provider_summaries"].values():
            amounts = found[summary["root_provider_uuid"]]
            for name, amount in summary["resources"].items():
                _add(amounts, name, amount["capacity"], amount["used"])
        return dict(found)

    def roots(self) -> dict[str, str]:
        """Return the ids of root providers by name: as a rule that of the compute service."""
        answer = self._cloud.call("placement", "GET", "/resource_providers", version="1.14")
        found = answer["resource_providers"]
        return {p["name"]: p["uuid"] for p in found if p["root_provider_uuid"] == p["uuid"]}

    def amounts_of(self, provider: str) -> Amounts:
        """Return what one root provider has, its children's included; three calls or more."""
        tree = self._cloud.call(
            "placement",
            "GET",
            "/resource_providers",
            params={"in_tree": provider},
            version="1.14",
        )
        amounts: Amounts = {}
        for member in tree["resource_providers"]:
            path = f"/resource_providers/{member['uuid']}"
            have = self._cloud.call("placement", "GET", f"{path}/inventories", version="1.14")
            use = self._cloud.call("placement", "GET", f"{path}/usages", version="1.14")
            for name, inventory in have["inventories"].items():
                _add(amounts, name, _capacity(inventory), use["usages"].get(name, 0))
        return amounts

    def consumers(self, provider: str) -> frozenset[str]:
        """Return the ids of what a provider has allocations for: servers, from the moment on that
        the scheduler has chosen the host.
        """  # noqa: D205 - one sentence
        path = f"/resource_providers/{provider}/allocations"
        return frozenset(self._cloud.call("placement", "GET", path)["allocations"])

    def mirror(self, provider: str) -> Mirror:
        """Return the aggregates that a provider is in.

        Raises:
            NotFound: there is no such provider.
        """
        answer = self._cloud.call(
            "placement",
            "GET",
            f"/resource_providers/{provider}/aggregates",
            version="1.19",
            on=f"resource provider {provider} on {self._cloud}",
        )
        generation = int(answer["resource_provider_generation"])
        return Mirror(frozenset(answer["aggregates"]), generation)

    def set_mirror(self, provider: str, aggregates: Iterable[str], generation: int) -> None:
        """Put a provider into these aggregates and no others.

        Raises:
            Conflict: the provider has changed since the generation was read.
        """
        self._cloud.call(
            "placement",
            "PUT",
            f"/resource_providers/{provider}/aggregates",
            {"aggregates": sorted(aggregates), "resource_provider_generation": generation},
            version="1.19",
            on=f"resource provider {provider} on {self._cloud}",
        )


def _capacity(inventory: dict[str, Any]) -> int:
    free = inventory["total"] - inventory["reserved"]
    return int(free * inventory["allocation_ratio"])


def _add(amounts: Amounts, name: str, capacity: int, used: int) -> None:
    have = amounts.get(name, Amount(0, 0))
    amounts[name] = Amount(have.capacity + capacity, have.used + used)
