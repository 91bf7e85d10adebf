# SPDX-License-Identifier: Apache-2.0
"""How many GPUs a flavor gives. Pure.

Sources: Nova's flavor extra specs ``resources:CLASS=N``, numbered groups (``resources1:``), and
``pci_passthrough:alias=NAME:N[,NAME:N]``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from hostler.gpu.classify import Classifier
from hostler.models.gpu import UseSource
from hostler.models.gpu_config import GpuConfig

_RESOURCES = re.compile(r"resources[A-Za-z0-9_-]*:(?P<name>.+)")
_IN_NAME = re.compile(r"[A-Z0-9]x(\d+)(?:-|$)")

RELEASED = frozenset({"SHELVED_OFFLOADED", "DELETED"})
"""Statuses of servers that hold no GPU any more; a stopped one does."""


class Gpus(NamedTuple):
    """A number of GPUs, and what says so."""

    number: int
    source: UseSource


class Counter:
    """Counts the GPUs of flavors and resource classes."""

    def __init__(self, config: GpuConfig) -> None:
        self._classes = [re.compile(pattern) for pattern in config.resource_classes]
        self._aliases = config.pci_aliases
        self._classifier = Classifier(config)

    def of_flavor(self, name: str, extra_specs: Mapping[str, str]) -> Gpus:
        """Return a flavor's GPUs: as its extra specs say, else as its name does (``...x8``).

        >>> Counter(GpuConfig()).of_flavor("n3-L40x4", {})
        Gpus(number=4, source='flavor_name')
        """
        asked = [self._asked(key, value) for key, value in extra_specs.items()]
        if numbers := [number for number in asked if number is not None]:
            return Gpus(sum(numbers), "flavor")
        if match := _IN_NAME.search(name):
            return Gpus(int(match[1]), "flavor_name")
        return Gpus(0, "flavor")

    def is_gpu(self, resource_class: str) -> bool:
        """Whether a resource class of placement counts GPUs."""
        return any(pattern.fullmatch(resource_class) for pattern in self._classes)

    def type_of(self, resource_class: str) -> str | None:
        """Return the GPU type that a resource class names, None where it names none."""
        return self._classifier.type_like(resource_class)

    def _asked(self, key: str, value: str) -> int | None:
        """Return the GPUs that an extra spec asks for; None where it is not about any."""
        if match := _RESOURCES.fullmatch(key):
            return _number(value) if self.is_gpu(match["name"]) else None
        if key != "pci_passthrough:alias":
            return None
        pairs = (part.strip().partition(":") for part in value.split(","))
        counts = [_number(count or "1") for name, _, count in pairs if self._is_alias(name)]
        return sum(counts) if counts else None

    def _is_alias(self, name: str) -> bool:
        known = name in self._aliases or "gpu" in name.lower()
        return known or self._classifier.type_like(name) is not None


def _number(text: str) -> int:
    return int(text) if text.strip().isdecimal() else 0
