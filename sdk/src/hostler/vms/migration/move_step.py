# SPDX-License-Identifier: Apache-2.0
"""A step of a move: on a domain and two hosts."""

from __future__ import annotations

from hostler.plan.step import World
from hostler.vms.migration.where import Whereabouts, whereabouts
from hostler.vms.steps import DomainStep, libvirt_of


class MoveStep(DomainStep):
    """A step on a domain and two hosts; ``uri`` is the one that it comes from."""

    target_uri: str
    uuid: str

    def look(self, world: World, *, both: bool = True) -> Whereabouts:
        """Ask the hosts where it is."""
        here, there = libvirt_of(world, self.uri), libvirt_of(world, self.target_uri)
        return whereabouts(self.name, self.uuid, here, there, both=both)
