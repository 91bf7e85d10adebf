# SPDX-License-Identifier: Apache-2.0
"""fleet.hyperstack.firewalls: list, plan, run; and which VMs they are attached to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hostler.errors import NotFound
from hostler.hyperstack.observe import observe
from hostler.hyperstack.planner import plan_attachments, plan_firewall
from hostler.hyperstack.running import carry_out, parse, read_back
from hostler.models.hyperstack import Firewall
from hostler.models.hyperstack_task import AttachmentTask, FirewallTask, HyperstackResult
from hostler.plan.plan import Plan
from hostler.plan.runner import OnProgress

if TYPE_CHECKING:
    from hostler.fleet import Fleet


class Firewalls:
    """Firewalls on Hyperstack."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def list(self, environment: str | None = None) -> list[Firewall]:
        """Read firewalls with their rules and attachments, of one environment or of all.

        Raises:
            HostlerError: Hyperstack can't be read.
        """
        found = self._fleet.hyperstack_api().firewalls.list()
        return [f for f in found if environment in (None, f.environment.name)]

    def get(self, firewall: str, *, environment: str | None = None) -> Firewall:
        """Read a firewall by its exact name or its id.

        Raises:
            NotFound: there is none.
        """
        for one in self.list(environment):
            if firewall in (one.name, str(one.id)):
                return one
        where = f" in {environment}" if environment else ""
        hint = "See 'hostler hyperstack firewall list'."
        raise NotFound("there is no such firewall", on=f"firewall {firewall!r}{where}", hint=hint)

    def plan(self, task: FirewallTask | Mapping[str, Any]) -> Plan:
        """Plan a firewall without touching anything.

        Raises:
            HostlerError: it can't be planned.
        """
        wanted = parse(FirewallTask, task, "firewall")
        world = observe(self._fleet.hyperstack_api(), wanted.environment, firewalls=True)
        plan = plan_firewall(wanted, world, self._fleet.config.policy)
        return plan.bind(self._fleet.runner)

    def run(
        self,
        task: FirewallTask | Mapping[str, Any],
        *,
        check: bool = False,
        on_progress: OnProgress = None,
    ) -> HyperstackResult:
        """Bring a firewall to what is wanted; in check mode nothing is touched.

        Raises:
            HostlerError: it can't be planned, or Hyperstack can't be read.
        """
        wanted = parse(FirewallTask, task, "firewall")
        planned = [(wanted.name, self.plan(wanted))]
        (result,) = carry_out(self._fleet, planned, check=check, on_progress=on_progress)
        if check or wanted.state == "absent":
            return result
        return read_back(result, lambda: self.get(wanted.name, environment=wanted.environment))

    def plan_attachments(self, task: AttachmentTask | Mapping[str, Any]) -> Plan:
        """Plan which VMs a firewall is attached to, without touching anything.

        Raises:
            HostlerError: it can't be planned.
        """
        wanted = parse(AttachmentTask, task, "attachments of firewall")
        world = observe(self._fleet.hyperstack_api(), wanted.environment, firewalls=True)
        plan = plan_attachments(wanted, world, self._fleet.config.policy)
        return plan.bind(self._fleet.runner)

    def attach(
        self,
        task: AttachmentTask | Mapping[str, Any],
        *,
        check: bool = False,
        on_progress: OnProgress = None,
    ) -> HyperstackResult:
        """Attach a firewall to VMs, detach it, or both; whatever else is attached stays.

        Raises:
            HostlerError: it can't be planned, or Hyperstack can't be read.
        """
        wanted = parse(AttachmentTask, task, "attachments of firewall")
        plan = self.plan_attachments(wanted)
        planned = [(wanted.firewall, plan)]
        (result,) = carry_out(self._fleet, planned, check=check, on_progress=on_progress)
        api, number = self._fleet.hyperstack_api(), plan.facts["firewall"]
        return result if check else read_back(result, lambda: api.firewalls.get(number))
