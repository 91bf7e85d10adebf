# SPDX-License-Identifier: Apache-2.0
"""What the planners have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hostler.config import Policy
from hostler.errors import NotFound, PolicyError
from hostler.hyperstack.world import HyperstackWorld
from hostler.models.hyperstack import Environment, Firewall, HyperstackVm
from hostler.models.hyperstack_rule import Rule
from hostler.plan.plan import Plan


def the_environment(world: HyperstackWorld) -> Environment:
    """Return the environment.

    Raises:
        NotFound: there is none.
    """
    if world.environment is None:
        raise NotFound(
            f"there is no environment {world.name!r}",
            on="Hyperstack",
            hint="See 'hostler hyperstack environments'; hyperstack_environment makes one.",
        )
    return world.environment


def check_writable(plan: Plan, policy: Policy) -> Plan:
    """Return the plan.

    Raises:
        PolicyError: it would change something, and the fleet is read-only.
    """
    if plan.changed and policy.read_only:
        hint = "Unset policy.read_only in fleet.yml to change it."
        raise PolicyError("the fleet is read-only", on=plan.target, hint=hint)
    return plan


def rule_state(rules: Iterable[Rule]) -> list[str]:
    """Return rules as states show them."""
    return sorted(rule.text for rule in rules)


def vm_state(vm: HyperstackVm) -> dict[str, Any]:
    """Return a VM as states show it."""
    return {
        "name": vm.name,
        "environment": vm.environment.name,
        "status": vm.status,
        "image": vm.image.name,
        "flavor": vm.flavor.name,
        "key": vm.keypair.name,
        "labels": sorted(vm.labels),
        "floating_ip": vm.floating_ip is not None,
        "security_rules": rule_state(vm.security_rules),
        "volumes": sorted(a.volume.name or "?" for a in vm.volume_attachments),
        "callback_url": vm.callback_url,
    }


def firewall_state(firewall: Firewall) -> dict[str, Any]:
    """Return a firewall as states show it."""
    return {
        "name": firewall.name,
        "environment": firewall.environment.name,
        "description": firewall.description,
        "rules": rule_state(firewall.rules),
    }
