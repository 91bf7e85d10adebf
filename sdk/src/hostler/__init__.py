# SPDX-License-Identifier: Apache-2.0
"""Hostler: run VMs, hypervisors and GPU pools as code.

Everything public is reached from here. Names load when first used, so that ``import hostler``
stays cheap for programs that start often (Ansible modules, shell completion).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hostler._version import __version__

if TYPE_CHECKING:
    from hostler import errors as errors
    from hostler.config import FleetConfig as FleetConfig
    from hostler.files import load_config as load_config
    from hostler.fleet import Fleet as Fleet
    from hostler.models.vm import VmSpec as VmSpec
    from hostler.models.vm_view import Vm as Vm
    from hostler.plan import Plan as Plan
    from hostler.plan import Step as Step

_HOMES = {
    "Fleet": "hostler.fleet",
    "FleetConfig": "hostler.config",
    "Plan": "hostler.plan",
    "Step": "hostler.plan",
    "Vm": "hostler.models.vm_view",
    "VmSpec": "hostler.models.vm",
    "load_config": "hostler.files",
}

__all__ = [
    "Fleet",
    "FleetConfig",
    "Plan",
    "Step",
    "Vm",
    "VmSpec",
    "__version__",
    "errors",
    "load_config",
]


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("hostler.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'hostler' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
