# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the seeded cloud holds. A reader of a test looks here for the names."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Host:
    """A compute host; its GPUs are inventory in placement, and PCI devices where `pci`."""

    name: str
    gpu: str
    gpus: int = 8
    pci: bool = False

    @property
    def resource_class(self) -> str:
        """The GPUs' resource class in placement."""
        return f"CUSTOM_GPU_{_upper(self.gpu)}"

    @property
    def trait(self) -> str:
        """The trait that the host's resource provider has."""
        return f"CUSTOM_HW_GPU_{_upper(self.gpu)}"


@dataclass(frozen=True)
class Aggregate:
    """A host aggregate; metadata as Nova shows it, so with the availability zone."""

    name: str
    hosts: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Flavor:
    """A flavor; sizes in MiB and GiB."""

    name: str
    vcpus: int
    ram: int
    disk: int = 100
    extra_specs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Server:
    """A server, with one port in its tenant's network."""

    name: str
    tenant: str
    flavor: str
    host: str


def _upper(gpu: str) -> str:
    return gpu.upper().replace("-", "_")


def _pool(name: str, gpu: str, pool: str, *hosts: str, zone: str = "") -> Aggregate:
    metadata = {"gpu_model": gpu, "pool": pool}
    return Aggregate(name, hosts, metadata | ({"availability_zone": zone} if zone else {}))


def _gpu_flavor(gpu: str, gpus: int) -> Flavor:
    specs = {
        f"resources:CUSTOM_GPU_{_upper(gpu)}": str(gpus),
        "aggregate_instance_extra_specs:gpu_model": gpu,
    }
    return Flavor(f"n3-{gpu}x{gpus}", 16 * gpus, 32768 * gpus, extra_specs=specs)


HOSTS = (
    Host("gpu-host-001", "L40"),
    Host("gpu-host-002", "L40"),
    Host("gpu-host-003", "L40"),
    Host("gpu-host-004", "A100", pci=True),
    Host("gpu-host-005", "A100", pci=True),
    Host("gpu-host-006", "H100-SXM5"),
    Host("gpu-host-007", "RTX-A4000", gpus=10),
    Host("gpu-host-008", "RTX-A4000", gpus=10),
)

# Three pools are empty; 008 is also in an aggregate that is no pool; no other host is in two.
AGGREGATES = (
    _pool("L40-n3", "L40", "ondemand", "gpu-host-001", "gpu-host-002"),
    _pool("L40-n3-spot", "L40", "spot", "gpu-host-003"),
    _pool("L40-n3-runpod", "L40", "runpod"),
    _pool("A100-n3", "A100", "ondemand", "gpu-host-004"),
    _pool("A100-n3-NVLink", "A100", "ondemand", "gpu-host-005"),
    _pool("A100-n3-NVLink-spot", "A100", "spot"),
    _pool("Contract-Acme-8xH100-SXM5", "H100-SXM5", "contract", "gpu-host-006"),
    _pool("RTX-A4000-n3", "RTX-A4000", "ondemand", "gpu-host-007", zone="az-1"),
    _pool("RTX-A4000-n3-spot", "RTX-A4000", "spot", "gpu-host-008", zone="az-2"),
    _pool("RTX-A4000-n3-runpod", "RTX-A4000", "runpod"),
    Aggregate("misc-n2", ("gpu-host-008",)),
)

# Three ways to know a flavor's GPUs: resources, a PCI alias, only the name. The last name misleads.
FLAVORS = (
    Flavor("n3-L40x1", 16, 32768),
    _gpu_flavor("L40", 4),
    _gpu_flavor("L40", 8),
    Flavor("n3-A100x2", 32, 65536, extra_specs={"pci_passthrough:alias": "a100:2"}),
    _gpu_flavor("A100", 8),
    _gpu_flavor("H100-SXM5", 8),
    _gpu_flavor("RTX-A4000", 1),
    _gpu_flavor("RTX-A4000", 10),
    Flavor("n3-cpu-x16-large", 16, 32768),
)

# 002, 005 and 007 have none.
SERVERS = (
    Server("a-train-1", "tenant-a", "n3-L40x1", "gpu-host-001"),
    Server("a-train-2", "tenant-a", "n3-L40x4", "gpu-host-001"),
    Server("b-infer-1", "tenant-b", "n3-L40x8", "gpu-host-003"),
    Server("b-infer-2", "tenant-b", "n3-A100x2", "gpu-host-004"),
    Server("b-batch-1", "tenant-b", "n3-cpu-x16-large", "gpu-host-004"),
    Server("a-train-3", "tenant-a", "n3-H100-SXM5x8", "gpu-host-006"),
    Server("a-render-1", "tenant-a", "n3-RTX-A4000x1", "gpu-host-008"),
)

# A project and a user of the same name each. The reader is one more user, of tenant-a.
TENANTS = ("tenant-a", "tenant-b")
READER = "reader"
IMAGE = "ubuntu-22.04-cuda"


@dataclass(frozen=True)
class Network:
    """A network with one subnet; shared and on a VLAN, or a tenant's own."""

    name: str
    cidr: str
    tenant: str = ""
    vlan: int = 0


NETWORKS = (
    Network("storage-network", "10.150.0.0/20", vlan=150),
    *(Network(f"{tenant}-net", "192.168.0.0/16", tenant=tenant) for tenant in TENANTS),
)


def host(name: str) -> Host:
    """The host of that name; one beyond the seeded is a further L40 host."""
    return next((host for host in HOSTS if host.name == name), Host(name, "L40"))
