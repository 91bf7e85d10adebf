# SPDX-License-Identifier: Apache-2.0
"""Virtual machines: each operation sends one request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from hostler.backends.hyperstack.client import Client
from hostler.backends.hyperstack.parsing import parsed
from hostler.errors import NotFound
from hostler.models.hyperstack import HyperstackVm
from hostler.models.hyperstack_rule import Rule

Power = Literal["start", "stop", "hard-reboot", "hibernate", "hibernate-restore"]

_VMS = "/core/virtual-machines"


class VmApi:
    """Virtual machines."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, environment: str | None = None) -> list[HyperstackVm]:
        """Read all VMs, or those of an environment by its exact name."""
        query = {}
        if environment is not None:
            query = {"environment": environment, "exact_environment_match": "true"}
        rows = self._client.pages(_VMS, "instances", query)
        vms = [parsed(HyperstackVm, row, f"{self._client}: {_VMS}") for row in rows]
        return [vm for vm in vms if environment in (None, vm.environment.name)]

    def get(self, number: int) -> HyperstackVm:
        """Read one VM.

        Raises:
            NotFound: it is gone.
        """
        body = self._client.read(_path(number), on=self._on(number))
        return parsed(HyperstackVm, body.get("instance"), self._on(number))

    def find(self, number: int) -> HyperstackVm | None:
        """Read one VM; None where it is gone."""
        try:
            return self.get(number)
        except NotFound:
            return None

    def create(self, payload: Mapping[str, Any]) -> None:
        """Have a VM made."""
        self._client.act("POST", _VMS, payload, on=f"VM {payload['name']!r} on {self._client}")

    def delete(self, number: int) -> None:
        """Have a VM deleted."""
        self._client.act("DELETE", _path(number), on=self._on(number))

    def power(self, number: int, action: Power, *, retain_ip: bool = False) -> None:
        """Start it, stop it and so on; these are GETs that act."""
        query = {"retain_ip": "true" if retain_ip else "false"} if action == "hibernate" else None
        self._client.act("GET", _path(number, action), query=query, on=self._on(number))

    def set_labels(self, number: int, labels: Iterable[str]) -> None:
        """Give it labels."""
        self._act("PUT", number, "label", {"labels": list(labels)})

    def attach_floating_ip(self, number: int) -> None:
        """Have it given a public address."""
        self._act("POST", number, "attach-floatingip")

    def detach_floating_ip(self, number: int) -> None:
        """Have its public address taken away."""
        self._act("POST", number, "detach-floatingip")

    def attach_volumes(self, number: int, volumes: Iterable[int]) -> None:
        """Have volumes attached."""
        self._act("POST", number, "attach-volumes", {"volume_ids": list(volumes)})

    def detach_volumes(self, number: int, volumes: Iterable[int]) -> None:
        """Have volumes detached."""
        self._act("POST", number, "detach-volumes", {"volume_ids": list(volumes)})

    def add_rule(self, number: int, rule: Rule) -> None:
        """Add a rule of its own."""
        self._act("POST", number, "sg-rules", rule.payload())

    def remove_rule(self, number: int, rule: int) -> None:
        """Remove a rule of its own."""
        self._act("DELETE", number, f"sg-rules/{rule}")

    def attach_firewalls(self, number: int, firewalls: Iterable[int]) -> None:
        """Make these its firewalls: others are detached."""
        self._act("POST", number, "attach-firewalls", {"firewalls": sorted(firewalls)})

    def set_callback(self, number: int, url: str | None, *, has: bool) -> None:
        """Say whom Hyperstack tells of events (None: nobody); ``has``: there is one already."""
        if url is None:
            self._act("DELETE", number, "delete-callback")
        elif has:
            self._act("PUT", number, "update-callback", {"url": url})
        else:
            self._act("POST", number, "attach-callback", {"url": url})

    def events(self, number: int) -> Sequence[dict[str, Any]]:
        """Read what happened to it."""
        path = _path(number, "events")
        body = self._client.read(path, on=self._on(number))
        return list(body.get("instance_events") or ())

    def metrics(self, number: int, duration: str) -> dict[str, Any]:
        """Read its use of CPU, memory, network and disks."""
        body = self._client.read(_path(number, "metrics"), {"duration": duration})
        return {k: v for k, v in body.items() if k not in ("status", "message")}

    def ask_for_logs(self, number: int, length: int) -> Any:
        """Ask for the console's log; returns the request's id."""
        body = self._client.act("POST", _path(number, "logs"), {"length": length})
        return body.get("request_id")

    def logs(self, number: int, request: Any) -> str | None:
        """Read the log that was asked for; None: not ready yet."""
        body = self._client.read(_path(number, "logs"), {"request_id": request})
        text = body.get("logs")
        return text if isinstance(text, str) else None

    def _act(
        self, method: str, number: int, verb: str, body: Mapping[str, Any] | None = None
    ) -> None:
        self._client.act(method, _path(number, verb), body, on=self._on(number))

    def _on(self, number: int) -> str:
        return f"VM {number} on {self._client}"


def _path(number: int, verb: str = "") -> str:
    return f"{_VMS}/{number}" + (f"/{verb}" if verb else "")
