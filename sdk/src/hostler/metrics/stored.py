# SPDX-License-Identifier: Apache-2.0
"""Answers questions about what was, from the store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from hostler.errors import InvalidInput, NotFound
from hostler.metrics import history, resources
from hostler.metrics.matching import matching
from hostler.metrics.past import Range, Thing
from hostler.metrics.tiers import COARSE, HOUR, RAW, Tier, tier_for
from hostler.metrics.views import Values
from hostler.models.metrics import Kind, Metric, Source
from hostler.models.metrics_config import MetricsConfig
from hostler.store import Store

_HINT = "Collect them: 'hostler metrics collect', or as a service."


class StoredPast:
    """History of the store."""

    source: Source = "store"

    def __init__(self, store: Callable[[], Store], config: MetricsConfig) -> None:
        self._store = store
        self._config = config

    def read(
        self,
        kind: Kind,
        hosts: Collection[str],
        names: Collection[str],
        metrics: Sequence[Metric],
        within: Range,
    ) -> list[tuple[Thing, Values]]:
        """Read values; see ``Past``."""
        tier = self._tier(within)
        with self._store().read() as db:
            there = resources.read(db, kind, hosts)
            if not there and kind != "pool":
                raise NotFound("nothing was collected yet", on="metrics", hint=_HINT)
            found = matching(there, names, kind, "nothing was collected of it")
            values = history.read(db, found, metrics, within, tier)
        return [(Thing(one.host, one.key, one.name, one.seen), values[one.id]) for one in found]

    def _tier(self, within: Range) -> Tier:
        """Return the points to read.

        Raises:
            InvalidInput: they are not kept for so long.
        """
        if within.count == 1:  # it begins anywhere
            return RAW if within.step <= RAW.kept(self._config) else COARSE
        tier = tier_for(within.step)
        kept = tier.kept(self._config)
        if within.step * within.count > kept:
            what = f"figures by {within.step} s are kept for {kept // HOUR} hours"
            hint = "Choose a longer interval, or fewer hours."
            raise InvalidInput(what, on="metrics", hint=hint)
        return tier
