# SPDX-License-Identifier: Apache-2.0
"""Event: something that happened to a VM or a host, as it was told or found out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from hostler.models.vm_view import View

VM_STATUS = "vm.status.changed"
VM_HOST = "vm.host.changed"
HOST_STATUS = "host.status.changed"
CLOUD_STATUS = "cloud.status.changed"
RESOURCE_ALERT = "resource.alert"
LOST = "events.lost"

TYPES = {
    VM_STATUS: "vm_id, old_status, new_status, reason",
    "vm.defined": "vm_id, reason",
    "vm.undefined": "vm_id, reason",
    VM_HOST: "vm_id, old_host, new_host",
    "vm.rebooted": "vm_id",
    "vm.io_error": "vm_id, device, path, action, reason",
    "vm.watchdog": "vm_id, action",
    "vm.control_error": "vm_id",
    "vm.balloon.changed": "vm_id, memory_mb",
    "vm.device.added": "vm_id, device",
    "vm.device.removed": "vm_id, device",
    "vm.device.removal_failed": "vm_id, device",
    "vm.agent.changed": "vm_id, state, reason",
    "vm.migration.iteration": "vm_id, iteration",
    "vm.block_job": "vm_id, disk, job, status",
    "vm.job.completed": "vm_id, statistics",
    HOST_STATUS: "host_id, old_status, new_status, reason",
    CLOUD_STATUS: "cloud, old_status, new_status, reason",
    RESOURCE_ALERT: "id, rule, state, severity, resource, value, threshold, unit, since, message",
    LOST: "count",
}
"""The types of events, and what their ``data`` holds."""


class Event(View):
    """Something that happened.

    Attributes:
        type: what; one of ``TYPES``.
        timestamp: when it was told; of what was missed, when it was found out.
        source: who told: ``libvirt``, ``openstack``, ``alerts``, or a source of your own.
        host: the host's id in the pool; of OpenStack, the compute's name.
        uri: the hypervisor's libvirt URI.
        vm: the VM's name.
        missed: nobody was listening when it happened: it was found by comparing states.
        data: what belongs to its type. A status that is not known is None.
    """

    type: str
    timestamp: datetime
    source: str
    host: str | None = None
    uri: str | None = None
    vm: str | None = None
    missed: bool = False
    data: dict[str, Any] = Field(default_factory=dict)
