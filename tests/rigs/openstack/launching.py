# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Hyperstack whose VMs are servers of the real Nova, and what a launch needs to have there."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from hostler.config import FleetConfig
from hostler.models.hyperstack_config import HyperstackConfig
from hostler.models.launch_config import LaunchConfig, LaunchRegion
from hostler.testing.hyperstack import FakeHyperstack, Hooks, Row
from rigs.openstack.api import Cloud
from rigs.openstack.cloud import IMAGE

ENVIRONMENT, REGION, KEY = "CA1-RunPod", "CANADA-1", "fleet"
IMAGE_NAME, FIREWALL, NETWORK = "RunPod Ubuntu 22.04", "runpod-ca1", "storage-network"
HOST, POOL = "gpu-host-002", "L40-n3-runpod"
SECRET = "rp-secret-4711"


class Bridge:
    """Boots a VM of the fake as a server; ``host``: where, whatever the scheduler would say."""

    def __init__(self, fake: FakeHyperstack) -> None:
        self.cloud = Cloud("admin", "tenant-a")
        self.host: str | None = None
        fake.hooks = Hooks(self._create, self._delete, self._status)

    def servers(self, name: str) -> list[dict[str, Any]]:
        """Return Nova's servers of exactly this name."""
        found = self.cloud.get("nova", "/v2.1/servers/detail", all_tenants=1)["servers"]
        return [server for server in found if server["name"] == name]

    def _create(self, vm: Row) -> None:
        networks = self.cloud.get("neutron", "/v2.0/networks", name="tenant-a-net")["networks"]
        images = self.cloud.get("glance", "/v2/images", name=IMAGE)["images"]
        body: dict[str, Any] = {
            "name": vm["name"],
            "imageRef": images[0]["id"],
            "flavorRef": vm["flavor"]["name"],
            "networks": [{"uuid": networks[0]["id"]}],
        }
        if self.host:
            body["host"] = self.host
        made = self.cloud.post("nova", "/v2.1/servers", {"server": body})
        vm["_server"] = made["server"]["id"]

    def _delete(self, vm: Row) -> None:
        self.cloud.delete("nova", f"/v2.1/servers/{vm['_server']}", missing_ok=True)

    def _status(self, vm: Row) -> str:
        server = self.cloud.get("nova", f"/v2.1/servers/{vm['_server']}")["server"]
        addresses = [a["addr"] for port in server["addresses"].values() for a in port]
        vm["fixed_ip"] = addresses[0] if addresses else None
        return str(server["status"])


def furnish(fake: FakeHyperstack) -> None:
    """Add what launches need, and a VM of somebody else's behind the same firewall."""
    fake.create_seconds = fake.build_seconds = 0.0
    fake.add_environment(ENVIRONMENT, REGION)
    fake.add_keypair(KEY, ENVIRONMENT)
    fake.add_image(IMAGE_NAME, REGION, type="runpod")
    for gpus in (1, 4, 8):
        fake.add_flavor(f"n3-L40x{gpus}", REGION, gpu="L40", gpu_count=gpus, ephemeral=1000)
    fake.add_price("L40", 1.0)
    fake.add_stock(REGION, "L40", "200+")
    firewall = fake.add_firewall(FIREWALL, ENVIRONMENT)
    other = fake.add_vm("somebody-else", ENVIRONMENT, image=IMAGE_NAME, flavor="n3-L40x1", key=KEY)
    fake.attach(firewall, other)


def key_of(fake: FakeHyperstack) -> str:
    """Return the key, which a test may take back later."""
    assert fake.api_key is not None
    return fake.api_key


def config(fake: FakeHyperstack, **launches: Any) -> FleetConfig:
    """Return a fleet's configuration for launches on that Hyperstack."""
    region = LaunchRegion(
        hosts=("gpu-host-*",),
        environment=ENVIRONMENT,
        key=KEY,
        network=NETWORK,
        firewall=FIREWALL,
    )
    return FleetConfig(
        hyperstack=HyperstackConfig(
            url=fake.url,
            api_key=SecretStr(key_of(fake)),
            poll_interval=0.05,
            retries=1,
            retry_delay=0.01,
        ),
        launches=LaunchConfig(regions={REGION: region}, settle_seconds=15, **launches),
    )
