# SPDX-License-Identifier: Apache-2.0
"""Whether flavors can land in an aggregate. Pure.

Source: Nova's AggregateInstanceExtraSpecsFilter: ``aggregate_instance_extra_specs:KEY`` of a flavor
is compared with KEY of the aggregate's metadata, of which several values stand with commas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hostler.gpu.lock import PREFIX
from hostler.gpu.overview import host_type
from hostler.gpu.world import GpuWorld
from hostler.models.migration import MigrationTask
from hostler.models.nova import Aggregate, Flavor, Server

SCOPE = "aggregate_instance_extra_specs:"
_WORDS = (
    "s==",
    "s!=",
    "s>=",
    "s>",
    "s<=",
    "s<",
    "<or>",
    "<in>",
    "<all-in>",
    "==",
    "!=",
    ">=",
    "<=",
)


def fits(extra_specs: Mapping[str, str], metadata: Mapping[str, str]) -> bool:
    """Whether a flavor with these extra specs may land in an aggregate with this metadata.

    >>> fits({"aggregate_instance_extra_specs:gpu": "<or> L40 <or> L40S"}, {"gpu": "L40S"})
    True
    """
    asked = {k.removeprefix(SCOPE): v for k, v in extra_specs.items() if k.startswith(SCOPE)}
    return all(
        key in metadata
        and any(_matches(value.strip(), wanted) for value in metadata[key].split(","))
        for key, wanted in asked.items()
    )


def warnings(world: GpuWorld, task: MigrationTask, target: Aggregate) -> list[str]:
    """Say which flavors won't find the host in its new aggregate."""
    found = []
    gpu_type = host_type(world, task.host)
    flavors = [flavor for flavor in world.flavors if _is_for(world, flavor, gpu_type)]
    if flavors and not any(fits(f.extra_specs, target.metadata) for f in flavors):
        found.append(
            f"No flavor for {gpu_type} asks for what the metadata of {target.name} offers"
            f" ({_text(target.metadata)}): the host would get no servers there."
        )
    return found + [
        f"Server {server.name} could not be migrated or resized within {target.name}: its flavor"
        f" {server.flavor} asks for another aggregate."
        for server in _staying(world, task)
        if not fits(server.extra_specs, target.metadata)
    ]


def _staying(world: GpuWorld, task: MigrationTask) -> Iterable[Server]:
    return () if task.drain else world.servers_of.get(task.host, ())


def _is_for(world: GpuWorld, flavor: Flavor, gpu_type: str | None) -> bool:
    """Whether a flavor gives GPUs of a type: by its name, or by the resources it asks for."""
    if gpu_type is None or not world.counter.of_flavor(flavor.name, flavor.extra_specs).number:
        return False
    names = [flavor.name, *flavor.extra_specs, *flavor.extra_specs.values()]
    return gpu_type in {world.classifier.type_like(name) for name in names}


def _matches(value: str, wanted: str) -> bool:
    """Compare as Nova does; of an operator that we don't know we say that it fits."""
    words = wanted.split()
    operator = words[0] if words and words[0] in (*_WORDS, "=") else ""
    rest = words[1:] if operator else words
    if operator == "<or>":
        return value in [word for word in rest if word != "<or>"]
    if operator == "<in>":
        return " ".join(rest) in value
    if operator in ("", "s=="):
        return value == " ".join(rest)
    if operator == "s!=":
        return value != " ".join(rest)
    return _numbers(operator, value, rest[0] if rest else "")


def _numbers(operator: str, value: str, wanted: str) -> bool:
    try:
        have, want = float(value), float(wanted)
    except ValueError:
        return True
    return {
        "=": have >= want,  # Nova's documentation: equal to or greater than
        ">=": have >= want,
        "<=": have <= want,
        "==": have == want,
        "!=": have != want,
    }.get(operator, True)


def _text(metadata: Mapping[str, str]) -> str:
    shown = {key: value for key, value in metadata.items() if not key.startswith(PREFIX)}
    return ", ".join(f"{key}={value}" for key, value in sorted(shown.items())) or "none"
