# SPDX-License-Identifier: Apache-2.0
"""What the Hyperstack to test with holds; keys with a leading ``_`` are its own affair."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Row = dict[str, Any]

REGIONS = ("NORWAY-1", "CANADA-1", "US-1", "CANADA-2")

_NEW_VM: Row = {
    "os": "Ubuntu",
    "volume_attachments": [],
    "fixed_ip": None,
    "floating_ip": None,
    "floating_ip_status": "NO FLOATING IP",
    "security_rules": [],
    "labels": [],
    "locked": False,
    "callback_url": None,
    "port_randomization": False,
    "_due": [],
    "_events": [],
}


@dataclass
class Hooks:
    """Lets VMs be real ones elsewhere.

    Attributes:
        on_create: is called with a new VM.
        on_delete: is called with a VM whose deletion was accepted.
        status_of: says what became of a VM that is being built (``BUILD``, ``ACTIVE``, ``ERROR``);
            None: it builds by the clock.
    """

    on_create: Callable[[Row], object] | None = None
    on_delete: Callable[[Row], object] | None = None
    status_of: Callable[[Row], str | None] | None = None


class Store:
    """Tables, and what fills them.

    Attributes:
        create_seconds, build_seconds: how long a new VM is in CREATING, then in BUILD.
        change_seconds: how long other changes take.
        broken: names of VMs that end in ERROR when they are made.
        hooks: makes VMs real.
        unique_names: whether a name may be had once in the organisation.
        labels_add: whether labels that are set come to those there are, or replace them.
        forgetful: how many times yet attaching a firewall to a VM detaches it from all others.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.create_seconds = self.change_seconds = 0.02
        self.build_seconds = 0.05
        self.broken: set[str] = set()
        self.hooks = Hooks()
        self.unique_names = True
        self.labels_add = False
        self.forgetful = 0
        self._numbers = itertools.count(1001)
        self.regions: list[Row] = []
        self.environments: list[Row] = []
        self.keypairs: list[Row] = []
        self.images: list[Row] = []
        self.flavors: list[Row] = []
        self.volumes: list[Row] = []
        self.firewalls: list[Row] = []
        self.vms: list[Row] = []
        self.stocks: list[Row] = []
        self.prices: list[Row] = []
        for name in REGIONS:
            country = name.partition("-")[0].title()
            self._add(self.regions, name=name, description=name, country=country, features={})

    def add_environment(self, name: str, region: str = "CANADA-1", *, max_vms: int = 100) -> Row:
        """Add an environment."""
        return self._add(self.environments, name=name, region=region, features={}, _max_vms=max_vms)

    def add_keypair(self, name: str, environment: str, public_key: str = "ssh-ed25519 AAAA") -> Row:
        """Add an SSH key."""
        return self._add(
            self.keypairs,
            name=name,
            public_key=public_key,
            fingerprint="aa:bb",
            environment=self.named(self.environments, environment),
        )

    def add_image(
        self,
        name: str,
        region: str = "CANADA-1",
        *,
        type: str = "Ubuntu",
        size: int = 10,
        **more: Any,
    ) -> Row:
        """Add an image; ``size`` in GB."""
        return self._add(
            self.images,
            name=name,
            region_name=region,
            type=type,
            version="22.04",
            size=size * 10**9,
            display_size=f"{size}.0 GB",
            description=None,
            is_public=True,
            labels=[],
            **more,
        )

    def add_flavor(  # noqa: PLR0913 - all by name
        self,
        name: str,
        region: str = "CANADA-1",
        *,
        gpu: str = "",
        gpu_count: int = 0,
        cpu: int = 4,
        ram: float = 16,
        disk: int = 100,
        ephemeral: int = 0,
        stock: int | None = None,
        no_hibernation: bool = False,
    ) -> Row:
        """Add a flavor; ``stock``: how many VMs there can be yet, None: no end of them."""
        return self._add(
            self.flavors,
            name=name,
            region_name=region,
            gpu=gpu,
            gpu_count=gpu_count,
            cpu=cpu,
            ram=ram,
            disk=disk,
            ephemeral=ephemeral,
            labels=[],
            features={"no_hibernation": no_hibernation},
            _stock=stock,
        )

    def add_volume(self, name: str, environment: str, *, size: int = 10) -> Row:
        """Add a volume; ``size`` in GB."""
        return self._add(
            self.volumes,
            name=name,
            description=None,
            size=size,
            volume_type="Cloud-SSD",
            bootable=False,
            status="available",
            environment=self.named(self.environments, environment),
            attachments=[],
        )

    def add_firewall(self, name: str, environment: str, rules: Iterable[Row] = ()) -> Row:
        """Add a firewall."""
        return self._add(
            self.firewalls,
            name=name,
            description=None,
            status="SUCCESS",
            environment=self.named(self.environments, environment),
            rules=[self.rule(**rule) for rule in rules],
            attachments=[],
        )

    def add_vm(
        self,
        name: str,
        environment: str,
        *,
        image: str,
        flavor: str,
        key: str = "",
        status: str = "ACTIVE",
        floating_ip: bool = False,
        **more: Any,
    ) -> Row:
        """Add a VM; by default one that runs already."""
        runs = status == "ACTIVE"
        vm = self._add(
            self.vms,
            **deepcopy(_NEW_VM),
            name=name,
            status=status,
            environment=self.named(self.environments, environment),
            image={"name": image},
            flavor=self.named(self.flavors, flavor),
            keypair={"name": key},
            power_state="RUNNING" if runs else None,
            vm_state="active" if runs else None,
            _wants_ip=floating_ip,
        )
        vm |= more
        vm["fixed_ip"] = self._address(vm, "10.0") if runs else None
        if runs and floating_ip:
            self.give_ip(vm)
        return vm

    def add_stock(self, region: str, model: str, available: str, **configurations: int) -> None:
        """Add the stock of a GPU model in a region; ``available`` as ``200+``."""
        group = next((s for s in self.stocks if s["region"] == region), None)
        if group is None:
            group = {"region": region, "stock-type": "GPU", "models": []}
            self.stocks.append(group)
        group["models"].append(
            {"model": model, "available": available, "configurations": configurations}
        )

    def add_price(self, name: str, value: float) -> None:
        """Add an entry of the price book: dollars an hour."""
        self._add(self.prices, name=name, value=value, original_value=value)

    def attach(self, firewall: Row, vm: Row, *, seconds: float = 0.0) -> None:
        """Attach a firewall to a VM, which takes time."""
        flavor = vm["flavor"].get("name")
        shown = {k: vm[k] for k in ("id", "name", "status", "created_at")}
        shown |= {"flavor": flavor, "environment": vm["environment"]["name"]}
        at = time.monotonic() + seconds
        attachment = {"id": next(self._numbers), "vm": shown, "created_at": _now(), "_at": at}
        firewall["attachments"].append(attachment)

    def attached(self, firewall: str) -> list[str]:
        """Return the names of VMs that a firewall is attached to."""
        self.settle()
        row = self.named(self.firewalls, firewall)
        return sorted(a["vm"]["name"] for a in row["attachments"] if "_gone_at" not in a)

    def vm(self, name: str) -> Row | None:
        """Return the VM of a name as it is now."""
        self.settle()
        return next((vm for vm in self.vms if vm["name"] == name), None)

    def rule(self, **fields: Any) -> Row:
        """Return a rule, complete."""
        return {
            "id": next(self._numbers),
            "direction": "ingress",
            "protocol": "tcp",
            "ethertype": "IPv4",
            "remote_ip_prefix": "0.0.0.0/0",
            "port_range_min": None,
            "port_range_max": None,
            "status": "SUCCESS",
            "created_at": _now(),
            **fields,
        }

    def named(self, table: list[Row], name: str) -> Row:
        """Return the row of a name."""
        return next(row for row in table if row["name"] == name)

    def give_ip(self, vm: Row) -> None:
        """Give a VM a public address."""
        vm["floating_ip"], vm["floating_ip_status"] = self._address(vm, "185.0"), "ATTACHED"

    def later(self, vm: Row, do: Callable[[], None], seconds: float) -> None:
        """Have something done to a VM once it is due."""
        vm["_due"].append((time.monotonic() + seconds, do))
        vm["_due"].sort(key=lambda pair: pair[0])

    def settle(self) -> None:
        """Do all that is due."""
        with self.lock:
            now = time.monotonic()
            for vm in list(self.vms):
                while vm["_due"] and vm["_due"][0][0] <= now:
                    vm["_due"].pop(0)[1]()
            for firewall in self.firewalls:
                firewall["attachments"] = [
                    a for a in firewall["attachments"] if a.get("_gone_at", now + 1) > now
                ]
                for attachment in firewall["attachments"]:
                    done = attachment["_at"] <= now
                    attachment["status"] = "SUCCESS" if done else "CREATING"

    def _add(self, table: list[Row], **fields: Any) -> Row:
        with self.lock:
            row = {"id": next(self._numbers), "created_at": _now(), **fields}
            table.append(row)
            return row

    def _address(self, vm: Row, start: str) -> str:
        return f"{start}.{vm['id'] // 250 % 250}.{vm['id'] % 250 + 1}"


def shown(row: Any) -> Any:
    """Return a row as answers show it."""
    if isinstance(row, dict):
        return {k: shown(v) for k, v in row.items() if not k.startswith("_")}
    return [shown(item) for item in row] if isinstance(row, list) else row


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "")
