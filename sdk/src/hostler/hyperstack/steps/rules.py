# SPDX-License-Identifier: Apache-2.0
"""Steps that add and remove rules, of a VM or of a firewall."""

from __future__ import annotations

from contextlib import suppress

from hostler.errors import NotFound
from hostler.hyperstack.steps.base import FirewallStep, HyperstackStep, VmStep
from hostler.hyperstack.watch import nothing
from hostler.models.hyperstack import SeenRule
from hostler.models.hyperstack_rule import Rule
from hostler.plan.step import Report, World


class RuleStep(HyperstackStep):
    """A step on a rule, whoever has it."""

    rule: Rule

    @property
    def owner(self) -> str:
        """Whose rule it is."""
        raise NotImplementedError

    @property
    def rules_path(self) -> str:
        """Where the rules are."""
        raise NotImplementedError

    def ready(self, world: World, report: Report) -> None:
        """Wait until rules can be changed."""

    def have(self, world: World) -> tuple[SeenRule, ...]:
        """Return the rules there are."""
        raise NotImplementedError

    def put(self, world: World) -> None:
        """Add the rule."""
        raise NotImplementedError

    def drop(self, world: World, number: int) -> None:
        """Remove a rule by its id."""
        raise NotImplementedError


class OfVm(VmStep, RuleStep):
    """The rule is a VM's own."""

    @property
    def owner(self) -> str:
        """Whose rule it is."""
        return f"VM {self.name}"

    @property
    def rules_path(self) -> str:
        """Where the rules are."""
        return self.path("sg-rules")

    def ready(self, world: World, report: Report) -> None:
        """Wait until the VM is at rest."""
        self.resting(world, report)

    def have(self, world: World) -> tuple[SeenRule, ...]:
        """Return the rules there are."""
        return self.vm(world).security_rules

    def put(self, world: World) -> None:
        """Add the rule."""
        self.api(world).vms.add_rule(self.vm(world).id, self.rule)

    def drop(self, world: World, number: int) -> None:
        """Remove a rule by its id."""
        self.api(world).vms.remove_rule(self.vm(world).id, number)


class OfFirewall(FirewallStep, RuleStep):
    """The rule is a firewall's."""

    @property
    def owner(self) -> str:
        """Whose rule it is."""
        return f"firewall {self.name}"

    @property
    def rules_path(self) -> str:
        """Where the rules are."""
        return self.path("firewall-rules")

    def have(self, world: World) -> tuple[SeenRule, ...]:
        """Return the rules there are."""
        return self.firewall(world).rules

    def put(self, world: World) -> None:
        """Add the rule."""
        self.api(world).firewalls.add_rule(self.firewall(world).id, self.rule)

    def drop(self, world: World, number: int) -> None:
        """Remove a rule by its id."""
        self.api(world).firewalls.remove_rule(self.firewall(world).id, number)


class AddRule(RuleStep):
    """Add a rule."""

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"let {self.owner} have the rule {self.rule.text}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return self.curl("POST", self.rules_path, self.rule.payload())

    def apply(self, world: World, report: Report) -> None:
        """Add it, unless it is there by now."""
        self.ready(world, report)
        if not self.is_done(world):
            self.put(world)

    def is_done(self, world: World) -> bool:
        """Whether it is there."""
        return any(rule.key == self.rule.key for rule in self.have(world))

    def undo(self, world: World) -> None:
        """Remove it."""
        self.ready(world, nothing)
        for rule in self.have(world):
            if rule.key == self.rule.key:
                with suppress(NotFound):
                    self.drop(world, rule.id)


class RemoveRule(RuleStep):
    """Remove a rule; by its id, as there may be twins."""

    rule_id: int

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"take the rule {self.rule.text} from {self.owner}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return self.curl("DELETE", f"{self.rules_path}/{self.rule_id}")

    def apply(self, world: World, report: Report) -> None:
        """Remove it."""
        self.ready(world, report)
        with suppress(NotFound):
            self.drop(world, self.rule_id)

    def is_done(self, world: World) -> bool:
        """Whether it is gone."""
        return all(rule.id != self.rule_id for rule in self.have(world))

    def undo(self, world: World) -> None:
        """Add it again; it gets another id."""
        self.ready(world, nothing)
        self.put(world)


class AddVmRule(AddRule, OfVm):
    """Add a rule to a VM."""

    kind = "hyperstack.vm.rule.add"


class RemoveVmRule(RemoveRule, OfVm):
    """Remove a rule of a VM."""

    kind = "hyperstack.vm.rule.remove"


class AddFirewallRule(AddRule, OfFirewall):
    """Add a rule to a firewall."""

    kind = "hyperstack.firewall.rule.add"


class RemoveFirewallRule(RemoveRule, OfFirewall):
    """Remove a rule of a firewall."""

    kind = "hyperstack.firewall.rule.remove"
