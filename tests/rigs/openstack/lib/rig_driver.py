# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rig's virt driver: nova's fake one, with GPUs and a memory that outlives its process."""

from __future__ import annotations

import json
from typing import Any

from nova.compute import power_state
from nova.conf import CONF
from nova.virt import fake

GPUS = 8


class RigDriver(fake.FakeDriverWithoutFakeNodes):  # type: ignore[misc]
    """The stock driver keeps guests in memory only; this one takes those that nova tells it of.

    So a restarted nova-compute can still stop, start and detach, and an interface that came by live
    migration, of which the stock driver is not told, can be detached.
    """

    def get_available_resource(self, nodename: str) -> dict[str, Any]:
        resources: dict[str, Any] = super().get_available_resource(nodename)
        if CONF.pci.device_spec:
            resources["pci_passthrough_devices"] = json.dumps([_gpu(n) for n in range(GPUS)])
        return resources

    def resume_state_on_host_boot(
        self, context: Any, instance: Any, network_info: Any, *args: Any, **kwargs: Any
    ) -> None:
        self._know(instance)
        self.instances[instance.uuid].state = power_state.RUNNING
        for vif in network_info or ():
            self._interfaces[vif["id"]] = vif

    def power_off(self, instance: Any, *args: Any, **kwargs: Any) -> None:
        self._know(instance)
        super().power_off(instance, *args, **kwargs)

    def power_on(self, context: Any, instance: Any, *args: Any, **kwargs: Any) -> None:
        self._know(instance)
        super().power_on(context, instance, *args, **kwargs)

    def detach_interface(self, context: Any, instance: Any, vif: Any) -> None:
        self._interfaces.setdefault(vif["id"], vif)
        super().detach_interface(context, instance, vif)

    def _know(self, instance: Any) -> None:
        if instance.uuid not in self.instances:
            guest = fake.FakeInstance(instance.name, instance.power_state, instance.uuid)
            self.instances[instance.uuid] = guest


def _gpu(number: int) -> dict[str, Any]:
    """An A100 as libvirt's driver would report it."""
    return {
        "address": f"0000:{0x41 + number:02x}:00.0",
        "vendor_id": "10de",
        "product_id": "20b0",
        "status": "available",
        "dev_type": "type-PCI",
        "parent_addr": None,
        "numa_node": None,
        "label": "label_10de_20b0",
    }
