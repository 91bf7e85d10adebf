# SPDX-License-Identifier: Apache-2.0
"""What the names of aggregates say. Pure; what no pattern matches stays unclassified."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hostler.models.gpu import Classified
from hostler.models.gpu_config import GpuConfig


class Classifier:
    """Reads names by the patterns of a configuration."""

    def __init__(self, config: GpuConfig) -> None:
        self._config = config
        self._patterns = [(entry.pool, re.compile(entry.pattern)) for entry in config.patterns]
        names = sorted({*config.types, *config.type_aliases}, key=len, reverse=True)
        # within a name a type is a word, or a part of one with a count: 8xH100, L40x4
        before, after = r"(?:^|[^A-Za-z0-9]|\d[xX])", r"(?:$|[^A-Za-z0-9]|[xX]\d)"
        self._types = [(re.compile(f"{before}{re.escape(name)}{after}"), name) for name in names]

    def classify(self, aggregate: str) -> Classified:
        """Return what an aggregate's name says.

        >>> Classifier(GpuConfig()).classify("A100-n3-NVLink-spot").variant
        'NVLink'
        """
        for pool, pattern in self._patterns:
            if match := pattern.fullmatch(aggregate):
                found = match.groupdict()
                gpu = found.get("gpu")
                return Classified(
                    pool=pool,
                    gpu_type=self.canonical(gpu) if gpu else self.type_within(aggregate),
                    variant=found.get("variant"),
                    contract=found.get("name") if pool == "contract" else None,
                )
        return Classified()

    def canonical(self, gpu_type: str) -> str:
        """Return the name of a type that this may be an alias of."""
        return self._config.type_aliases.get(gpu_type, gpu_type)

    def type_within(self, name: str) -> str | None:
        """Return the longest known type within a name.

        >>> Classifier(GpuConfig()).type_within("Contract-Foo-8xH100-SXM5")
        'H100-SXM5'
        """
        for pattern, gpu_type in self._types:
            if pattern.search(name):
                return self.canonical(gpu_type)
        return None

    def type_like(self, text: str) -> str | None:
        """Return the longest known type in a name that has its own spelling (``CUSTOM_GPU_A100``).

        >>> Classifier(GpuConfig()).type_like("CUSTOM_GPU_H100_SXM5")
        'H100-SXM5'
        """
        return self.type_within(re.sub(r"[^A-Z0-9]+", "-", text.upper()))


def one_of(types: Iterable[str | None]) -> str | None:
    """Return the only type of several findings; None where they disagree or say nothing."""
    found = {gpu_type for gpu_type in types if gpu_type}
    return found.pop() if len(found) == 1 else None
