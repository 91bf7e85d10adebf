# SPDX-License-Identifier: Apache-2.0
"""Placement: on which host a VM should be, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, ValidationError

from hostler.errors import InvalidInput
from hostler.models.problems import sentence
from hostler.models.vm import Part, Text
from hostler.models.vm_view import View

AUTO = "auto"
"""In place of a host's id: any that suits."""

Strategy = Literal["spread", "pack", "most_free"]

RULES = "hostler.placement"
"""In a VM's metadata: the rules that hold wherever it is moved to."""
_LASTING = {"host_labels", "affinity", "anti_affinity"}


class GpuRequest(Part):
    """GPUs that a VM is to be given whole; ``model`` is a glob, of any case (``*L40S*``)."""

    model: Text
    count: int = Field(1, ge=1, le=64)


class PlacementRules(Part):
    """How a host is chosen.

    Attributes:
        strategy: ``spread``: where the fewest VMs are; ``pack``: where it is fullest and the VM
            still fits; ``most_free``: where most memory is free.
        host_labels: only hosts that carry all of these (value ``*`` = any).
        affinity: only hosts that have a VM with all of these labels.
        anti_affinity: only hosts that have no VM with all of these labels.
        gpu: GPUs to give to the VM.
    """

    strategy: Strategy = "spread"
    host_labels: dict[Text, Text] = Field(default_factory=dict)
    affinity: dict[Text, Text] = Field(default_factory=dict)
    anti_affinity: dict[Text, Text] = Field(default_factory=dict)
    gpu: GpuRequest | None = None

    def dump(self) -> str | None:
        """Return what holds wherever the VM is moved to, as JSON; None where nothing does."""
        text = self.model_dump_json(include=_LASTING, exclude_defaults=True)
        return None if text == "{}" else text

    @classmethod
    def load(cls, metadata: Mapping[str, str], vm: str) -> PlacementRules:
        """Return the rules that a VM's metadata keep.

        Raises:
            InvalidInput: they can't be read.
        """
        try:
            return cls.model_validate_json(metadata.get(RULES, "{}"))
        except ValidationError as error:
            what = f"its metadata {RULES!r} are no placement rules: {sentence(error)}"
            raise InvalidInput(what, on=f"VM {vm!r}", hint="Put them right first.") from None


class PlacementRequest(Part):
    """A VM that looks for a host.

    Attributes:
        vm: its name.
        cpus: virtual CPUs.
        memory: in bytes.
        labels: its own labels, for the affinity of those that come after it.
        rules: how its host is chosen.
        pools: bytes that it needs, by storage pool.
        networks: virtual networks that it needs.
        exclude: hosts that are out of question, and why.
    """

    vm: str
    cpus: int = Field(1, ge=1)
    memory: int = Field(gt=0)
    labels: dict[str, str] = Field(default_factory=dict)
    rules: PlacementRules = PlacementRules()
    pools: dict[str, int] = Field(default_factory=dict)
    networks: tuple[str, ...] = ()
    exclude: dict[str, str] = Field(default_factory=dict)


class Claim(Part):
    """What a VM that is being placed will take of a host; kept in the store until it is there.

    Attributes:
        memory: in bytes; ``pools``: bytes by storage pool.
        gpus: PCI addresses.
        settled: when the VM was there (``time.time()``): who has looked later has seen it.
    """

    id: str
    host: str
    vm: str
    cpus: int
    memory: int
    labels: dict[str, str] = Field(default_factory=dict)
    pools: dict[str, int] = Field(default_factory=dict)
    gpus: tuple[str, ...] = ()
    settled: float | None = None


class Placement(View):
    """Where a VM goes.

    Attributes:
        host: the host's id.
        uri: its libvirt URI.
        reason: one sentence: why there.
        others: why not elsewhere, by host.
        gpus: PCI addresses of the GPUs that it gets.
    """

    vm: str
    host: str
    uri: str
    strategy: Strategy
    reason: str
    others: dict[str, str] = Field(default_factory=dict)
    gpus: list[str] = Field(default_factory=list)
