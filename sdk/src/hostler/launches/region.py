# SPDX-License-Identifier: Apache-2.0
"""Which region a host is in, and what a VM gets there. Pure."""

from __future__ import annotations

from hostler.errors import InvalidInput
from hostler.models.launch import LaunchTask
from hostler.models.launch_config import LaunchConfig, LaunchRegion


def region_of(task: LaunchTask, config: LaunchConfig) -> tuple[str, LaunchRegion]:
    """Return the region's name, and its settings with the task's own in place.

    Raises:
        InvalidInput: no region, or several, have the host, or something is missing.
    """
    on = f"host {task.hostname!r}"
    own = {
        field: value
        for field in ("environment", "key", "network", "firewall")
        if (value := getattr(task, field)) is not None
    }
    if task.region is not None:
        known = config.regions.get(task.region)
        if known is None and not {"environment", "key"} <= own.keys():
            there = ", ".join(sorted(config.regions)) or "none"
            hint = f"Known: {there}. Or give environment and key."
            raise InvalidInput(f"launches.regions has no {task.region!r}", on=on, hint=hint)
        return task.region, _merged(known, own)
    found = [name for name, region in config.regions.items() if region.has(task.hostname)]
    if len(found) != 1:
        what = f"is in several regions: {', '.join(found)}" if found else "is in no region"
        hint = "Name the region, or set launches.regions.NAME.hosts in fleet.yml."
        raise InvalidInput(f"it {what}", on=on, hint=hint)
    return found[0], _merged(config.regions[found[0]], own)


def _merged(region: LaunchRegion | None, own: dict[str, str]) -> LaunchRegion:
    return region.model_copy(update=own) if region else LaunchRegion.model_validate(own)
