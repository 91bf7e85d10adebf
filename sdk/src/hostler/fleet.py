# SPDX-License-Identifier: Apache-2.0
"""Fleet: the one object a script opens."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from hostler.config import FleetConfig
from hostler.errors import InvalidInput, MissingLibrary
from hostler.models.netbox import NetboxConfig
from hostler.models.placement import AUTO

if TYPE_CHECKING:
    from pydantic import SecretStr

    from hostler.alerts.service import Alerts
    from hostler.backends.hyperstack import HyperstackApi
    from hostler.backends.libvirt import Hypervisor
    from hostler.backends.netbox import Netbox
    from hostler.backends.openstack import Cloud
    from hostler.backends.prometheus import Prometheus
    from hostler.backends.web import Web
    from hostler.consoles.service import Consoles
    from hostler.events.service import Events
    from hostler.gpu.service import Gpu
    from hostler.hosts.service import Hosts
    from hostler.hyperstack.service import Hyperstack
    from hostler.launches.service import Launches
    from hostler.logs.service import Logs
    from hostler.metrics.service import Metrics
    from hostler.networks.service import Networks
    from hostler.openstack.service import Openstack
    from hostler.plan.journal import Journal
    from hostler.plan.runner import Runner
    from hostler.report.service import Report
    from hostler.storage.service import Storage
    from hostler.store import Store
    from hostler.vms.migration.service import VmMigrations
    from hostler.vms.service import Vms
    from hostler.vms.snapshots import Snapshots


class Fleet:
    """Hands out the services; opens backends when first used and closes them at the end.

    >>> with Fleet() as fleet:
    ...     for vm in fleet.vms.list():
    ...         print(vm.name, vm.status)

    Args:
        config: a FleetConfig, the path of a ``fleet.yml``, or nothing: then ``HOSTLER_CONFIG``
            and, where that is not set, defaults.
        uri: the libvirt URI to use where a call names none.
        host: a host of the pool, in place of its URI.
        cloud: the cloud of clouds.yaml; else ``OS_CLOUD``, fleet.yml, the ``OS_*`` variables.
        netbox_url: NetBox's address; else ``NETBOX_URL``, fleet.yml, or there is none.
        netbox_token: its token; else ``NETBOX_TOKEN``, fleet.yml.
        netbox_required: whether a NetBox that can't be reached is an error; else fleet.yml.
        hyperstack_url: Hyperstack's address; else ``HYPERSTACK_API_URL``, fleet.yml.
        hyperstack_api_key: its key; else ``HYPERSTACK_API_KEY``, fleet.yml.

    Raises:
        ConfigError: the file is not a fleet.yml.
        InvalidInput: both ``uri`` and ``host``.
    """

    def __init__(  # noqa: PLR0913 - all by name
        self,
        config: FleetConfig | str | Path | None = None,
        *,
        uri: str | None = None,
        host: str | None = None,
        cloud: str | None = None,
        netbox_url: str | None = None,
        netbox_token: str | SecretStr | None = None,
        netbox_required: bool | None = None,
        hyperstack_url: str | None = None,
        hyperstack_api_key: str | SecretStr | None = None,
    ) -> None:
        self.config = config if isinstance(config, FleetConfig) else _load(config)
        self._uri, self._host = uri, host
        _only_one(uri, host)
        self.cloud = cloud or os.environ.get("OS_CLOUD") or self.config.openstack.cloud or ""
        self._netbox_wish = (netbox_url, netbox_token, netbox_required)
        self._hyperstack_wish = (hyperstack_url, hyperstack_api_key)
        self._hypervisors: dict[str, Hypervisor] = {}
        self._clouds: dict[str, Cloud] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection, and streams of events."""
        events = self.__dict__.pop("events", None)
        if events is not None:
            events.close()
        with self._lock:
            for hypervisor in self._hypervisors.values():
                hypervisor.close()
            self._hypervisors.clear()
            for cloud in self._clouds.values():
                cloud.close()
            self._clouds.clear()
        netbox = self.__dict__.pop("netbox", None)
        if netbox is not None:
            netbox.close()
        hyperstack_api = self.__dict__.pop("_hyperstack_api", None)
        if hyperstack_api is not None:
            hyperstack_api.close()
        metrics = self.__dict__.pop("metrics", None)
        if metrics is not None:
            metrics.close()
        prometheus = self.__dict__.pop("prometheus", None)
        if prometheus is not None:
            prometheus.close()
        store = self.__dict__.pop("store", None)
        if store is not None:
            store.close()

    @cached_property
    def store(self) -> Store:
        """The database."""
        from hostler.store import Store

        return Store(os.environ.get("HOSTLER_STORE") or self.config.store)

    @property
    def journal(self) -> Journal:
        """The journal: plans, their steps, the command log."""
        from hostler.plan.journal import Journal

        return Journal(self.store, _all_steps)

    @cached_property
    def runner(self) -> Runner:
        """Applies, resumes and undoes plans."""
        from hostler.plan.runner import Runner

        return Runner(self, lambda: self.journal)

    @cached_property
    def vms(self) -> Vms:
        """VMs: list, plan, apply, batch."""
        from hostler.vms.service import Vms

        return Vms(self)

    @cached_property
    def snapshots(self) -> Snapshots:
        """Snapshots of VMs."""
        from hostler.vms.snapshots import Snapshots

        return Snapshots(self)

    @cached_property
    def migrations(self) -> VmMigrations:
        """Moves of VMs between hypervisors."""
        from hostler.vms.migration.service import VmMigrations

        return VmMigrations(self)

    @cached_property
    def hosts(self) -> Hosts:
        """The pool of hypervisors: registry, figures, placement."""
        from hostler.hosts.service import Hosts

        return Hosts(self)

    @cached_property
    def alerts(self) -> Alerts:
        """What is wrong now, by rules."""
        from hostler.alerts.service import Alerts

        return Alerts(self)

    @cached_property
    def report(self) -> Report:
        """The fleet at a glance, in one HTML file."""
        from hostler.report.service import Report

        return Report(self)

    @cached_property
    def consoles(self) -> Consoles:
        """Consoles of VMs: VNC, SPICE, the serial port, screenshots."""
        from hostler.consoles.service import Consoles

        return Consoles(self)

    @cached_property
    def logs(self) -> Logs:
        """Logs of VMs: the guest's, the console's, the hypervisor's."""
        from hostler.logs.service import Logs

        return Logs(self)

    @cached_property
    def events(self) -> Events:
        """What happens to VMs and hosts, as it happens: ``fleet.events()`` is a stream."""
        from hostler.events.service import Events

        return Events(self)

    @cached_property
    def metrics(self) -> Metrics:
        """Figures of VMs and hosts, live and over time."""
        from hostler.metrics.service import Metrics

        return Metrics(self)

    @cached_property
    def prometheus(self) -> Prometheus:
        """The Prometheus that history is read from: ``PROMETHEUS_URL``, or that of fleet.yml.

        Raises:
            InvalidInput: its address is none.
            MissingLibrary: requests is not installed.
        """
        try:
            from hostler.backends.prometheus import Prometheus
        except ImportError as error:
            hint = "Run: pip install 'hostler[metrics]'"
            raise MissingLibrary(str(error), on="Prometheus", hint=hint) from error
        return Prometheus(self.config.metrics.prometheus.resolved(os.environ))

    @cached_property
    def storage(self) -> Storage:
        """Storage pools of hypervisors."""
        from hostler.storage.service import Storage

        return Storage(self)

    @cached_property
    def networks(self) -> Networks:
        """Virtual networks of hypervisors."""
        from hostler.networks.service import Networks

        return Networks(self)

    @cached_property
    def openstack(self) -> Openstack:
        """An OpenStack's servers, networks and ports."""
        from hostler.openstack.service import Openstack

        return Openstack(self)

    @cached_property
    def launches(self) -> Launches:
        """Launches of GPU VMs on hosts of ours."""
        from hostler.launches.service import Launches

        return Launches(self)

    @cached_property
    def gpu(self) -> Gpu:
        """GPU pools: overviews, targets, migrations."""
        from hostler.gpu.service import Gpu

        return Gpu(self)

    @cached_property
    def hyperstack(self) -> Hyperstack:
        """Hyperstack: VMs, firewalls, environments, keys, images, flavors."""
        from hostler.hyperstack.service import Hyperstack

        return Hyperstack(self)

    @cached_property
    def netbox(self) -> Netbox | None:
        """NetBox, which tells whose hosts are; None where nobody names its address.

        Raises:
            InvalidInput: the address or the token can't be one.
            MissingLibrary: pynetbox or requests-cache is not installed.
        """
        url, token, required = self._netbox_wish
        config = (self.config.netbox or NetboxConfig()).resolved(
            os.environ, url=url, token=token, required=required
        )
        if config is None:
            return None
        try:
            from hostler.backends.netbox import Netbox
        except ImportError as error:
            hint = "Run: pip install 'hostler[netbox]'"
            raise MissingLibrary(str(error), on="NetBox", hint=hint) from error
        return Netbox(config)

    def backend(self, kind: str, target: str) -> Any:
        """Return the backend of a kind for a target; part of the World that steps see."""
        openers: dict[str, Callable[[str], Any]] = {
            "libvirt": self.hypervisor,
            "openstack": self.openstack_cloud,
            "hosts": lambda _: self.hosts,
            "hyperstack": self.hyperstack_api,
            "web": lambda _: self.web,
        }
        if kind not in openers:
            raise ValueError(f"there is no backend {kind!r}")
        return openers[kind](target)

    @cached_property
    def web(self) -> Web:
        """Reads files of web servers.

        Raises:
            MissingLibrary: requests is not installed.
        """
        try:
            from hostler.backends.web import Web
        except ImportError as error:
            hint = "Run: pip install 'hostler[libvirt]'"
            raise MissingLibrary(str(error), on="files of web servers", hint=hint) from error
        return Web()

    def openstack_cloud(self, name: str | None = None) -> Cloud:
        """Return the connection to an OpenStack, opened when first used.

        Raises:
            MissingLibrary: openstacksdk is not installed.
        """
        try:
            from hostler.backends.openstack import Cloud
        except ImportError as error:
            hint = "Run: pip install 'hostler[openstack]'"
            raise MissingLibrary(str(error), on="OpenStack", hint=hint) from error
        name = self.cloud if name is None else name
        with self._lock:
            if name not in self._clouds:
                self._clouds[name] = Cloud(name, timeout=self.config.openstack.timeout)
            return self._clouds[name]

    def hyperstack_api(self, url: str | None = None) -> HyperstackApi:
        """Return the connection to Hyperstack, opened when first used.

        Raises:
            InvalidInput: a plan is for another address: the key is not sent there.
            Denied: there is no key.
            MissingLibrary: requests is not installed.
        """
        api = self._hyperstack_api
        if url not in (None, api.config.url):
            raise InvalidInput(
                f"this fleet uses {api.config.url}",
                on=f"Hyperstack {url}",
                hint="Set HYPERSTACK_API_URL or hyperstack.url to go on with that plan.",
            )
        return api

    @cached_property
    def _hyperstack_api(self) -> HyperstackApi:
        url, key = self._hyperstack_wish
        try:
            from hostler.backends.hyperstack import HyperstackApi
        except ImportError as error:
            hint = "Run: pip install 'hostler[hyperstack]'"
            raise MissingLibrary(str(error), on="Hyperstack", hint=hint) from error
        return HyperstackApi(self.config.hyperstack.resolved(os.environ, url=url, api_key=key))

    def kvm_works(self, hypervisor: Hypervisor) -> bool:
        """Whether a guest boots under KVM on a host.

        On this machine a tiny guest is asked (see ``hostler.doctor.kvm``; the answer is kept).
        Elsewhere, and where that can't be done, KVM is trusted when the CPU itself has it.
        """
        from hostler.doctor.kvm import kvm_works

        facts = hypervisor.facts
        works = kvm_works(facts.emulator) if facts.local and facts.emulator else None
        return hypervisor.has_virtualisation if works is None else works

    @property
    def host(self) -> str | None:
        """The host of the pool that it was opened with."""
        return self._host

    @property
    def own_uri(self) -> str | None:
        """The libvirt URI of the host that the fleet was opened for; None: for no one host.

        Raises:
            NotFound: that host is not in the pool.
        """
        return self.hosts.registry.uri(self._host) if self._host else self._uri

    @property
    def uri(self) -> str:
        """The libvirt URI where a call names neither a URI nor a host of the pool.

        Raises:
            NotFound: the fleet was opened with a host that is not in the pool.
        """
        return self.own_uri or os.environ.get("LIBVIRT_DEFAULT_URI") or self.config.uri

    def uri_of(self, uri: str | None = None, host: str | None = None) -> str:
        """Return the URI that is meant: the given one, that of a host, or the fleet's own.

        Raises:
            InvalidInput: both are given.
            NotFound: there is no such host in the pool.
        """
        _only_one(uri, host)
        return self.hosts.registry.uri(host) if host else uri or self.uri

    def places(
        self, uri: str | None = None, host: str | None = None, *, by_rules: bool = False
    ) -> bool:
        """Whether the pool is meant: ``auto`` is asked for, or nothing names a hypervisor.

        Raises:
            InvalidInput: there are rules for it (``by_rules``), and one is named.
        """
        named = host or uri or self._host or self._uri
        if by_rules and named not in (None, AUTO):
            what = f"placement chooses a host, and {named!r} is named already"
            raise InvalidInput(what, hint="Leave one of them out.")
        if named or by_rules:
            return named in (None, AUTO)
        if os.environ.get("LIBVIRT_DEFAULT_URI") or "uri" in self.config.model_fields_set:
            return False
        return bool(self.hosts.list())

    def hypervisor(self, uri: str | None = None, host: str | None = None) -> Hypervisor:
        """Return the connection to a hypervisor, opened when first used; as ``uri_of``."""
        from hostler.backends.libvirt import Hypervisor

        uri = self.uri_of(uri, host)
        with self._lock:
            if uri not in self._hypervisors:
                self._hypervisors[uri] = Hypervisor(uri, timeout=self.config.connect_timeout)
            return self._hypervisors[uri]


def _only_one(uri: str | None, host: str | None) -> None:
    if uri and host:
        what = f"uri {uri!r} and host {host!r} both name a hypervisor"
        raise InvalidInput(what, hint="Give one of them.")


def _load(path: str | Path | None) -> FleetConfig:
    path = path or os.environ.get("HOSTLER_CONFIG")
    if not path:
        return FleetConfig()
    from hostler.files import load_config

    return load_config(path)


def _all_steps() -> None:
    """Import every kind of step that a journal may hold."""
    from hostler.gpu import steps as gpu_steps  # noqa: F401
    from hostler.hosts import steps as host_steps  # noqa: F401
    from hostler.hosts.maintenance import steps as maintenance_steps  # noqa: F401
    from hostler.hyperstack import steps as hyperstack_steps  # noqa: F401
    from hostler.launches import steps as launch_steps  # noqa: F401
    from hostler.networks import steps as network_steps  # noqa: F401
    from hostler.openstack import steps as openstack_steps  # noqa: F401
    from hostler.storage import steps as storage_steps  # noqa: F401
    from hostler.storage import transfer_steps  # noqa: F401
    from hostler.vms import snapshot_steps, steps, volume_steps  # noqa: F401
    from hostler.vms.migration import steps as migration_steps  # noqa: F401
