# SPDX-License-Identifier: Apache-2.0
"""fleet.hyperstack.environments and .keypairs: list, plan, run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hostler.hyperstack.planner import plan_environment, plan_keypair
from hostler.hyperstack.running import carry_out, parse, read_back
from hostler.models.hyperstack import Environment, Keypair, Quota
from hostler.models.hyperstack_task import EnvironmentTask, HyperstackResult, KeypairTask
from hostler.plan.plan import Plan

if TYPE_CHECKING:
    from hostler.fleet import Fleet


class Environments:
    """Environments on Hyperstack."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def list(self, region: str | None = None) -> list[Environment]:
        """Read environments, of one region (whatever its case) or of all."""
        found = self._fleet.hyperstack_api().environments()
        return [e for e in found if not region or (e.region or "").upper() == region.upper()]

    def quota(self, name: str) -> Quota:
        """Read how many VMs an environment may have.

        Raises:
            NotFound: there is no such environment.
        """
        api = self._fleet.hyperstack_api()
        return api.quota(api.environment(name).id)

    def plan(self, task: EnvironmentTask | Mapping[str, Any]) -> Plan:
        """Plan an environment without touching anything.

        Raises:
            HostlerError: it can't be planned.
        """
        wanted, api = parse(EnvironmentTask, task, "environment"), self._fleet.hyperstack_api()
        there, regions = api.environments(), api.regions()
        plan = plan_environment(wanted, api.config.url, there, regions, self._fleet.config.policy)
        return plan.bind(self._fleet.runner)

    def run(
        self, task: EnvironmentTask | Mapping[str, Any], *, check: bool = False
    ) -> HyperstackResult:
        """Make or delete an environment; in check mode nothing is touched.

        Raises:
            HostlerError: it can't be planned, or Hyperstack can't be read.
        """
        wanted = parse(EnvironmentTask, task, "environment")
        (result,) = carry_out(self._fleet, [(wanted.name, self.plan(wanted))], check=check)
        if check or wanted.state == "absent":
            return result
        return read_back(result, lambda: self._fleet.hyperstack_api().environment(wanted.name))


class Keypairs:
    """SSH keys on Hyperstack."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def list(self, environment: str | None = None) -> list[Keypair]:
        """Read SSH keys, of one environment or of all."""
        found = self._fleet.hyperstack_api().keypairs()
        return [k for k in found if environment in (None, k.environment.name)]

    def plan(self, task: KeypairTask | Mapping[str, Any]) -> Plan:
        """Plan an SSH key without touching anything.

        Raises:
            HostlerError: it can't be planned.
        """
        wanted, api = parse(KeypairTask, task, "key"), self._fleet.hyperstack_api()
        environments, keys = api.environments(), api.keypairs()
        plan = plan_keypair(wanted, api.config.url, environments, keys, self._fleet.config.policy)
        return plan.bind(self._fleet.runner)

    def run(
        self, task: KeypairTask | Mapping[str, Any], *, check: bool = False
    ) -> HyperstackResult:
        """Add or remove an SSH key; in check mode nothing is touched.

        Raises:
            HostlerError: it can't be planned, or Hyperstack can't be read.
        """
        wanted = parse(KeypairTask, task, "key")
        (result,) = carry_out(self._fleet, [(wanted.name, self.plan(wanted))], check=check)
        if check or wanted.state == "absent":
            return result

        def look() -> Keypair | None:
            mine = self.list(wanted.environment)
            return next((key for key in mine if key.name == wanted.name), None)

        return read_back(result, look)
