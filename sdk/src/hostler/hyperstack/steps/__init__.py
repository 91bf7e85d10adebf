# SPDX-License-Identifier: Apache-2.0
"""The steps of changes on Hyperstack."""

from __future__ import annotations

from hostler.hyperstack.steps.attachments import AttachFirewalls
from hostler.hyperstack.steps.changes import (
    AttachFloatingIp,
    AttachVolumes,
    DetachFloatingIp,
    DetachVolumes,
    SetCallback,
    SetLabels,
)
from hostler.hyperstack.steps.firewalls import CreateFirewall, DeleteFirewall
from hostler.hyperstack.steps.power import PowerVm, RebootVm
from hostler.hyperstack.steps.rules import (
    AddFirewallRule,
    AddVmRule,
    RemoveFirewallRule,
    RemoveVmRule,
)
from hostler.hyperstack.steps.things import (
    CreateEnvironment,
    CreateKeypair,
    DeleteEnvironment,
    DeleteKeypair,
)
from hostler.hyperstack.steps.vm import CreateKeptVm, CreateVm, DeleteVm, WaitForVm

__all__ = [
    "AddFirewallRule",
    "AddVmRule",
    "AttachFirewalls",
    "AttachFloatingIp",
    "AttachVolumes",
    "CreateEnvironment",
    "CreateFirewall",
    "CreateKeptVm",
    "CreateKeypair",
    "CreateVm",
    "DeleteEnvironment",
    "DeleteFirewall",
    "DeleteKeypair",
    "DeleteVm",
    "DetachFloatingIp",
    "DetachVolumes",
    "PowerVm",
    "RebootVm",
    "RemoveFirewallRule",
    "RemoveVmRule",
    "SetCallback",
    "SetLabels",
    "WaitForVm",
]
