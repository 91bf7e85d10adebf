# SPDX-License-Identifier: Apache-2.0
"""fleet.yml: where things are and what may be done to them."""

from __future__ import annotations

from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict, Field

from hostler.models.alert_config import AlertsConfig
from hostler.models.gpu_config import GpuConfig
from hostler.models.host import HostId, HostSettings
from hostler.models.hyperstack_config import HyperstackConfig
from hostler.models.launch_config import LaunchConfig
from hostler.models.metrics import MetricsBackend
from hostler.models.metrics_config import MetricsConfig
from hostler.models.netbox import NetboxConfig

DEFAULT_URI = "qemu:///system"


class Policy(BaseModel):
    """What no plan may do.

    Attributes:
        read_only: refuse every change.
        protected: globs of names of VMs and hosts that no plan may stop, delete or migrate unless
            the task says ``override_protection``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    read_only: bool = False
    protected: tuple[str, ...] = ()

    def protects(self, name: str) -> bool:
        """Whether a VM or host is protected."""
        return any(fnmatchcase(name, pattern) for pattern in self.protected)


class OpenstackConfig(BaseModel):
    """Which OpenStack, and how it is called. Passwords stay in clouds.yaml or ``OS_*``.

    Attributes:
        cloud: a cloud of clouds.yaml (``OS_CLOUD`` comes before it).
        timeout: seconds that a call may take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cloud: str | None = None
    timeout: int = Field(60, ge=1, le=600)


class FleetConfig(BaseModel):
    """A fleet's configuration; every field has a default, so an empty file is a good one.

    Attributes:
        hosts: hypervisors of the pool by id; more may be in the store.
        uri: the libvirt URI where a task names none (``LIBVIRT_DEFAULT_URI`` comes before it).
        store: SQLAlchemy URL of the journal's database.
        parallel: how many plans are applied at once.
        connect_timeout: seconds that a host gets to accept a connection.
        policy: what no plan may do.
        openstack: which OpenStack.
        gpu: how GPU hosts are told apart.
        netbox: which NetBox; where it names no URL, ``NETBOX_URL`` does, or NetBox is not used.
        hyperstack: which Hyperstack, and how it is asked.
        launches: how GPU VMs are launched on hosts.
        metrics_backend: where the history of metrics is read from.
        metrics: how metrics are collected, and how long they are kept.
        alerts: what is an alert.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: dict[HostId, HostSettings] = Field(default_factory=dict)
    uri: str = DEFAULT_URI
    store: str | None = None
    parallel: int = Field(8, ge=1, le=64)
    connect_timeout: int = Field(15, ge=1, le=600)
    policy: Policy = Policy()
    openstack: OpenstackConfig = OpenstackConfig()
    gpu: GpuConfig = GpuConfig()
    netbox: NetboxConfig | None = None
    hyperstack: HyperstackConfig = HyperstackConfig()
    launches: LaunchConfig = LaunchConfig()
    metrics_backend: MetricsBackend = "store"
    metrics: MetricsConfig = MetricsConfig()
    alerts: AlertsConfig = AlertsConfig()
