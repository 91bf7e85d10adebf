# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument spec of a VM: the fields of VmSpec and VmOptions."""

from __future__ import annotations

from typing import Any

from ansible_collections.hostler.fleet.plugins.module_utils._module import Spec
from ansible_collections.hostler.fleet.plugins.module_utils._vm_devices import DEVICES

MACHINE: Spec = {
    "name": {"type": "str"},
    "new_name": {"type": "str"},
    "title": {"type": "str"},
    "description": {"type": "str"},
    "cpus": {"type": "int"},
    "cpus_max": {"type": "int"},
    "cpu_cores": {"type": "int"},
    "cpu": {
        "type": "dict",
        "options": {
            "mode": {
                "type": "str",
                "choices": ["host-passthrough", "host-model", "maximum", "custom"],
            },
            "model": {"type": "str"},
            "sockets": {"type": "int"},
            "dies": {"type": "int"},
            "cores": {"type": "int"},
            "threads": {"type": "int"},
            "disable": {"type": "list", "elements": "str"},
        },
    },
    "memory": {"type": "str"},
    "memory_max": {"type": "str"},
    "memory_mb": {"type": "int"},
    "memory_gb": {"type": "float"},
    "disk_gb": {"type": "float"},
    "storage_gb": {"type": "float"},
    "os_type": {"type": "str"},
    "os_version": {"type": "str"},
    "agent": {"type": "bool"},
    "rng": {"type": "bool"},
    "autostart": {"type": "bool"},
    "machine": {"type": "str"},
    "arch": {"type": "str"},
    "virt_type": {"type": "str", "choices": ["auto", "kvm", "qemu", "test", "xen", "lxc"]},
    "labels": {"type": "dict"},
    "metadata": {"type": "dict"},
    "cloud_init": {
        "type": "dict",
        "options": {
            "user_data": {"type": "raw", "no_log": True},
            "network_config": {"type": "raw", "no_log": True},
            "ssh_keys": {"type": "list", "elements": "str", "no_log": False},
            "hostname": {"type": "str"},
            "pool": {"type": "str"},
        },
    },
    "kernel_boot": {
        "type": "dict",
        "options": {
            "kernel": {"type": "str", "required": True},
            "initrd": {"type": "str"},
            "cmdline": {"type": "str"},
        },
    },
    "from_template": {
        "type": "dict",
        "options": {
            "vm": {"type": "str"},
            "pool": {"type": "str", "default": "default"},
            "volume": {"type": "str"},
            "linked": {"type": "bool", "default": False},
        },
    },
    "xml": {"type": "str"},
}

OPTIONS: Spec = {
    "state": {
        "type": "str",
        "choices": ["present", "running", "stopped", "paused", "restarted", "reset", "absent"],
    },
    "force": {"type": "bool"},
    "timeout": {"type": "int"},
    "allow_restart": {"type": "bool"},
    "delete_disks": {"type": "bool"},
    "preserve_volumes": {"type": "bool"},
    "override_protection": {"type": "bool"},
    "wait_for": {"type": "str", "choices": ["ip", "agent", "ssh", "port"]},
    "wait_timeout": {"type": "int"},
    "wait_port": {"type": "int"},
    "host": {"type": "str"},
    "placement": {
        "type": "dict",
        "options": {
            "strategy": {
                "type": "str",
                "choices": ["spread", "pack", "most_free"],
                "default": "spread",
            },
            "host_labels": {"type": "dict"},
            "affinity": {"type": "dict"},
            "anti_affinity": {"type": "dict"},
            "gpu": {
                "type": "dict",
                "options": {
                    "model": {"type": "str", "required": True},
                    "count": {"type": "int", "default": 1},
                },
            },
        },
    },
}

FIELDS: Spec = {**MACHINE, **DEVICES, **OPTIONS}

# At the top only: an item of a list takes what it leaves out from there.
DEFAULTS: dict[str, Any] = {
    "state": "present",
    "force": False,
    "timeout": 120,
    "allow_restart": False,
    "delete_disks": False,
    "preserve_volumes": False,
    "override_protection": False,
    "wait_timeout": 300,
}
