# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument spec of the devices of a VM."""

from __future__ import annotations

from ansible_collections.hostler.fleet.plugins.module_utils._module import Spec

DEVICES: Spec = {
    "disks": {
        "type": "list",
        "elements": "dict",
        "options": {
            "target": {"type": "str"},
            "pool": {"type": "str"},
            "volume": {"type": "str"},
            "path": {"type": "str"},
            "size": {"type": "str"},
            "image": {"type": "str"},
            "image_checksum": {"type": "str"},
            "backing": {"type": "raw"},
            "clone": {"type": "raw"},
            "format": {"type": "str", "choices": ["qcow2", "raw"]},
            "bus": {"type": "str", "choices": ["virtio", "scsi", "sata", "ide", "usb"]},
            "cache": {
                "type": "str",
                "choices": ["default", "none", "writethrough", "writeback", "directsync", "unsafe"],
            },
            "discard": {"type": "str", "choices": ["unmap", "ignore"]},
            "serial": {"type": "str"},
            "boot_order": {"type": "int"},
            "shared": {"type": "bool"},
            "readonly": {"type": "bool"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
    },
    "cdroms": {
        "type": "list",
        "elements": "dict",
        "options": {
            "target": {"type": "str"},
            "image": {"type": "str"},
            "pool": {"type": "str"},
            "volume": {"type": "str"},
            "eject": {"type": "bool", "default": False},
            "bus": {"type": "str", "choices": ["sata", "scsi", "ide", "usb"]},
            "boot_order": {"type": "int"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
    },
    "networks": {
        "type": "list",
        "elements": "dict",
        "options": {
            "type": {"type": "str", "choices": ["network", "bridge", "direct", "ovs"]},
            "network": {"type": "str"},
            "bridge": {"type": "str"},
            "dev": {"type": "str"},
            "mode": {"type": "str", "choices": ["vepa", "bridge", "private", "passthrough"]},
            "portgroup": {"type": "str"},
            "vlan": {"type": "list", "elements": "int"},
            "model": {"type": "str"},
            "mac": {"type": "str"},
            "link": {"type": "str", "choices": ["up", "down"]},
            "mtu": {"type": "int"},
            "boot_order": {"type": "int"},
            "address": {"type": "str"},
            "gateway": {"type": "str"},
            "nameservers": {"type": "list", "elements": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
    },
    "firmware": {"type": "raw"},
    "tpm": {"type": "raw"},
    "graphics": {
        "type": "list",
        "elements": "dict",
        "options": {
            "type": {"type": "str", "choices": ["vnc", "spice", "none"], "default": "vnc"},
            "listen": {"type": "str"},
            "port": {"type": "int"},
            "password": {"type": "str", "no_log": True},
        },
    },
    "video": {"type": "raw"},
    "console": {"type": "raw"},
    "watchdog": {"type": "raw"},
    "host_devices": {
        "type": "list",
        "elements": "dict",
        "options": {
            "address": {"type": "str", "required": True},
            "managed": {"type": "bool", "default": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
    },
}
