# SPDX-License-Identifier: Apache-2.0
"""What all steps on Hyperstack have in common."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from hostler.errors import Conflict, NotFound
from hostler.hyperstack.watch import wait_settled
from hostler.models.hyperstack import Firewall, HyperstackVm, Named
from hostler.plan.step import Report, Step, World

if TYPE_CHECKING:
    from hostler.backends.hyperstack import HyperstackApi

T = TypeVar("T", bound=Named)


class HyperstackStep(Step):
    """A step on one Hyperstack; the key is known to its backend only."""

    url: str

    def api(self, world: World) -> HyperstackApi:
        """Return the API."""
        api: HyperstackApi = world.backend("hyperstack", self.url)
        return api

    def curl(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> str:
        """Return the command that sends a request, without the key."""
        words = ["curl", "-X", method, f"{self.url}{path}", "-H", "api_key: ****"]
        if body is not None:
            words += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        return shlex.join(words)


class VmStep(HyperstackStep):
    """A step on one VM.

    Attributes:
        environment, name: of the VM.
        id: its id; None where the plan makes it.
        timeout: seconds that it may take in all.
    """

    environment: str
    name: str
    id: int | None = None
    timeout: int = 1800

    @property
    def on(self) -> str:
        """The VM in words."""
        return f"VM {self.name!r} in {self.environment}"

    def find(self, world: World) -> HyperstackVm | None:
        """Return the VM as it is now; None where it is not there.

        Raises:
            Conflict: there are several of that name.
        """
        api = self.api(world)
        if self.id is not None:
            return api.vms.find(self.id)
        return only(api.vms.list(self.environment), self.name, self.on)

    def vm(self, world: World) -> HyperstackVm:
        """Return the VM as it is now.

        Raises:
            NotFound: it is not there.
        """
        vm = self.find(world)
        if vm is None:
            raise NotFound("it is gone", on=self.on)
        return vm

    def resting(
        self, world: World, report: Report, statuses: Iterable[str] = ("ACTIVE", "SHUTOFF")
    ) -> HyperstackVm:
        """Wait until the VM is at rest, in one of the statuses that a change needs.

        Raises:
            Conflict: it is in another one.
        """
        number = self.vm(world).id
        api = self.api(world)
        vm = wait_settled(api, number, on=self.on, timeout=self.timeout, report=report)
        if vm.status not in statuses:
            wanted = " or ".join(statuses)
            raise Conflict(f"it is {vm.status}, and must be {wanted} for this", on=self.on)
        return vm

    def path(self, verb: str = "") -> str:
        """Return the path of a request; the id of a VM that is not made yet is left open."""
        number = "<id>" if self.id is None else self.id
        return f"/core/virtual-machines/{number}" + (f"/{verb}" if verb else "")


class FirewallStep(HyperstackStep):
    """A step on one firewall; ``id`` is None where the plan makes it."""

    environment: str
    name: str
    id: int | None = None

    @property
    def on(self) -> str:
        """The firewall in words."""
        return f"firewall {self.name!r} in {self.environment}"

    def find(self, world: World) -> Firewall | None:
        """Return the firewall as it is now; None where it is not there."""
        api = self.api(world)
        if self.id is None:
            mine = [f for f in api.firewalls.list() if f.environment.name == self.environment]
            return only(mine, self.name, self.on)
        try:
            return api.firewalls.get(self.id)
        except NotFound:
            return None

    def firewall(self, world: World) -> Firewall:
        """Return the firewall as it is now.

        Raises:
            NotFound: it is not there.
        """
        firewall = self.find(world)
        if firewall is None:
            raise NotFound("it is gone", on=self.on)
        return firewall

    def path(self, verb: str = "") -> str:
        """Return the path of a request."""
        number = "<id>" if self.id is None else self.id
        return f"/core/firewalls/{number}" + (f"/{verb}" if verb else "")


def only(things: Iterable[T], name: str, on: str) -> T | None:
    """Return the thing of exactly this name; None where there is none.

    Raises:
        Conflict: there are several.
    """
    found = [thing for thing in things if thing.name == name]
    if len(found) > 1:
        numbers = ", ".join(str(thing.id) for thing in found)
        hint = "Delete or rename all but one in the console."
        raise Conflict(f"there are {len(found)} of that name (ids {numbers})", on=on, hint=hint)
    return found[0] if found else None
