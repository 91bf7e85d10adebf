# SPDX-License-Identifier: Apache-2.0
"""Steps that make a VM, wait for it, delete it."""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import SecretStr

from hostler.errors import Conflict
from hostler.hyperstack.steps.base import VmStep
from hostler.hyperstack.watch import delete_vm, sent, wait_gone, wait_ready
from hostler.models.hyperstack import HyperstackVm
from hostler.models.hyperstack_rule import Rule
from hostler.plan.step import Report, World


def digest(secret: SecretStr) -> str:
    """Return what a secret text is shown by."""
    return f"sha256:{hashlib.sha256(secret.get_secret_value().encode()).hexdigest()}"


class CreateVm(VmStep):
    """Make a VM. Its name is what it is known by if the answer is lost.

    Attributes:
        image, flavor, key: names.
        user_data: cloud-init's; never stored, so that a plan that was killed before the VM was
            there can be undone and not resumed.
        user_data_digest: what it is shown by.
        floating_ip, port_randomization, security_rules, labels, callback_url: as in
            HyperstackVmTask.
    """

    kind = "hyperstack.vm.create"
    image: str
    flavor: str
    key: str
    user_data: SecretStr | None = None
    user_data_digest: str = ""
    floating_ip: bool = False
    port_randomization: bool | None = None
    security_rules: tuple[Rule, ...] = ()
    labels: tuple[str, ...] = ()
    callback_url: str | None = None

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"create VM {self.name} in {self.environment}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return self.curl("POST", "/core/virtual-machines", self._payload(self.user_data_digest))

    def apply(self, world: World, report: Report) -> None:
        """Have it made; where the answer is lost, look whether it comes.

        Raises:
            Conflict: there is one of that name already.
        """
        api = self.api(world)
        self._free_name(world, report)
        secret = self.user_data.get_secret_value() if self.user_data else ""
        payload = self._payload(secret)
        sent(api, lambda: api.vms.create(payload), lambda: self.is_done(world))

    def is_done(self, world: World) -> bool:
        """Whether a VM of that name, image, flavor and key is there and not on its way out."""
        vm = self.find(world)
        return vm is not None and self._is_it(vm) and vm.becomes != "DELETED"

    def undo(self, world: World) -> None:
        """Delete it, and wait until it is gone.

        Raises:
            Conflict: it is another one.
        """
        vm = self.find(world)
        if vm is None:
            return
        if not self._is_it(vm):
            raise Conflict("it is not the VM that was made", on=self.on)
        delete_vm(self.api(world), vm.id, on=self.on, timeout=self.timeout)
        wait_gone(self.api(world), vm.id, on=self.on, timeout=self.timeout)

    def _payload(self, user_data: str) -> dict[str, Any]:
        rules = [rule.payload() for rule in self.security_rules]
        optional: dict[str, Any] = {
            "user_data": user_data,
            "labels": list(self.labels),
            "security_rules": rules,
            "callback_url": self.callback_url,
        }
        if self.port_randomization is not None:
            optional["enable_port_randomization"] = self.port_randomization
        return {
            "name": self.name,
            "environment_name": self.environment,
            "image_name": self.image,
            "flavor_name": self.flavor,
            "key_name": self.key,
            "count": 1,
            "assign_floating_ip": self.floating_ip,
            **{name: value for name, value in optional.items() if value not in ("", [], None)},
        }

    def _is_it(self, vm: HyperstackVm) -> bool:
        """Whether a VM of that name is made of what this one is made of, as far as it shows."""
        shown = (vm.image.name, vm.flavor.name, vm.keypair.name)
        wanted = (self.image, self.flavor, self.key)
        return all(a in (None, b) for a, b in zip(shown, wanted, strict=True))

    def _free_name(self, world: World, report: Report) -> None:
        """Make sure that nobody has the name, one that is on its way out at the latest then."""
        vm = self.find(world)
        if vm is None:
            return
        if vm.becomes != "DELETED":
            raise Conflict("there is one of that name by now", on=self.on, hint="Run again.")
        wait_gone(self.api(world), vm.id, on=self.on, timeout=self.timeout, report=report)


class CreateKeptVm(CreateVm):
    """Make a VM that stays when what comes after it fails."""

    kind = "hyperstack.vm.create_kept"
    kept = "it was asked to be kept"


class WaitForVm(VmStep):
    """Wait until a new VM runs, and has its public address where it gets one."""

    kind = "hyperstack.vm.wait"
    only_looks = True
    floating_ip: bool = False

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"wait until VM {self.name} runs"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return self.curl("GET", self.path())

    def apply(self, world: World, report: Report) -> None:
        """Wait."""
        wait_ready(
            self.api(world),
            self.vm(world).id,
            on=self.on,
            floating_ip=self.floating_ip,
            timeout=self.timeout,
            report=report,
        )


class DeleteVm(VmStep):
    """Delete a VM."""

    kind = "hyperstack.vm.delete"
    irreversible = "what was on the VM is gone with it"
    wait: bool = True

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"delete VM {self.name} in {self.environment}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return self.curl("DELETE", self.path())

    def apply(self, world: World, report: Report) -> None:
        """Delete it; one that is still being created has to be waited for."""
        vm = self.find(world)
        if vm is None:
            return
        api = self.api(world)
        delete_vm(api, vm.id, on=self.on, timeout=self.timeout, report=report)
        if self.wait:
            wait_gone(api, vm.id, on=self.on, timeout=self.timeout, report=report)

    def is_done(self, world: World) -> bool:
        """Whether it is gone, or on its way out."""
        vm = self.find(world)
        return vm is None or vm.becomes == "DELETED"
