# SPDX-License-Identifier: Apache-2.0
"""VmTask: a VM as it is wanted, and how the change may be made. VmQuery: which VMs to read."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hostler.errors import InvalidInput
from hostler.models.placement import AUTO, Placement, PlacementRules
from hostler.models.problems import sentence
from hostler.models.result import Result
from hostler.models.vm import Part, VmSpec, merged
from hostler.models.vm_view import Vm, VmStatus

VmState = Literal["present", "running", "stopped", "paused", "restarted", "reset", "absent"]
WaitFor = Literal["ip", "agent", "ssh", "port"]
Operation = Literal["start", "stop", "restart", "reset", "pause", "resume", "delete", "snapshot"]
VmField = Literal["config", "hardware", "stats", "addresses", "snapshots", "xml"]


class VmOptions(Part):
    """How a change may be made.

    Attributes:
        state: what the VM should be; ``present`` leaves the power state alone.
        force: stop hard when the guest has not stopped after ``timeout``, reboot by reset, delete
            a VM that runs.
        timeout: seconds that a guest gets to shut down.
        allow_restart: restart the VM where a change can't be made while it runs.
        delete_disks: with ``absent``, delete its writable, unshared volumes and files.
        preserve_volumes: with ``absent``, keep every volume; wins over ``delete_disks``.
        override_protection: change a VM that the fleet's policy protects.
        wait_for: what to wait for once the VM runs.
        wait_timeout: seconds to wait.
        wait_port: the TCP port of ``wait_for: port``.
        host: the host of the pool that it is on; ``auto``: where it is, or where it fits best.
        placement: where it fits best, with ``host: auto``.
    """

    state: VmState = "present"
    force: bool = False
    timeout: int = Field(120, ge=0, le=86400)
    allow_restart: bool = False
    delete_disks: bool = False
    preserve_volumes: bool = False
    override_protection: bool = False
    wait_for: WaitFor | None = None
    wait_timeout: int = Field(300, ge=1, le=86400)
    wait_port: int | None = Field(None, ge=1, le=65535)
    host: str | None = None
    placement: PlacementRules | None = None

    @model_validator(mode="after")
    def _fits(self) -> VmOptions:
        if self.placement is not None and self.host not in (None, AUTO):
            raise ValueError(f"placement chooses a host, and host {self.host!r} is chosen already")
        return self


class VmTask(Part):
    """One VM of a request."""

    spec: VmSpec
    options: VmOptions = VmOptions()

    @classmethod
    def parse(cls, data: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> VmTask:
        """Check a mapping of spec and options; keys that are None count as left out.

        Raises:
            InvalidInput: names the field and what is wrong with it.
        """
        given = {k: v for k, v in data.items() if v is not None}
        base = {k: v for k, v in (defaults or {}).items() if v is not None}
        fields = merged(base, given)
        options = {k: fields.pop(k) for k in list(fields) if k in VmOptions.model_fields}
        name = str(fields.get("name", ""))[:60]
        try:
            return cls(spec=VmSpec.model_validate(fields), options=VmOptions(**options))
        except ValidationError as error:
            raise InvalidInput(sentence(error), on=f"VM {name!r}" if name else "VM") from None


class VmQuery(BaseModel):
    """Which VMs to read, and what of them.

    Attributes:
        names: exact names, or globs (``web-*``).
        status: only these states.
        os_type: only this OS type.
        labels: only VMs that carry all of these labels (value ``*`` = any).
        search: part of a name or UUID, in any case.
        fields: what to read beside the ordinary fields.
        sort: field to sort by; ``-`` before it turns the order round.
        page: page number from 1; limit: VMs per page (0 = all).
        agent_timeout: seconds that a guest agent gets to answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    names: tuple[str, ...] = ()
    status: tuple[VmStatus, ...] = ()
    os_type: str | None = None
    labels: dict[str, str] = {}
    search: str | None = None
    fields: frozenset[VmField] = frozenset()
    sort: Literal[
        "name", "-name", "status", "-status", "cpu_cores", "-cpu_cores", "memory_mb", "-memory_mb"
    ] = "name"
    page: int = Field(1, ge=1)
    limit: int = Field(0, ge=0, le=10000)
    agent_timeout: int = Field(2, ge=1, le=60)

    def names_match(self, name: str) -> bool:
        """Whether a name is one of ``names`` (always where there are none)."""
        return not self.names or any(fnmatchcase(name, pattern) for pattern in self.names)


class VmPage(BaseModel):
    """One page of VMs: ``total`` of all pages; ``limit`` 0 = all on one page.

    ``warnings`` say what could not be read of these VMs: a sentence for each cause.
    ``unreachable_hosts`` are those of the pool whose VMs are not here, and why.
    """

    vms: list[Vm]
    total: int
    page: int
    limit: int
    pages: int
    warnings: list[str] = []
    unreachable_hosts: dict[str, str] = {}


def literal(name: str) -> str:
    """Return a glob that means exactly this name."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


class VmResult(Result):
    """What became of one VM of a request.

    Attributes:
        restart_required: a change waits for a restart.
        changes_pending: what waits for it.
        vm: the VM as it is now, where it was read.
        placement: why it is on its host; None where no host was looked for.
        host_id: the host's id in the pool; None where it was named by its URI.
    """

    restart_required: bool = False
    changes_pending: list[str] = Field(default_factory=list)
    vm: Vm | None = None
    placement: Placement | None = None
    host_id: str | None = None


class SnapshotTask(Part):
    """A snapshot as it is wanted.

    Attributes:
        vm: the VM's name.
        name: the snapshot's name.
        state: ``present``, ``absent`` or ``reverted``.
        memory: keep the memory of a running VM too.
        external: external files instead of inside the qcow2.
        quiesce: freeze the guest's file systems meanwhile (needs the agent).
        running: after ``reverted``: run (True), stay stopped (False), as it was saved (None).
        children: with ``absent``, remove its children too.
    """

    vm: str
    name: str
    description: str | None = None
    state: Literal["present", "absent", "reverted"] = "present"
    memory: bool = False
    external: bool = False
    quiesce: bool = False
    running: bool | None = None
    children: bool = False
    override_protection: bool = False


class BatchResult(BaseModel):
    """What became of a batch, in the specification's words.

    Attributes:
        status: ``completed``, ``partial`` (some failed) or ``failed`` (all failed).
        unreachable_hosts: hosts of the pool whose VMs were not found, and why.
    """

    batch_id: str
    operation: Operation
    total_vms: int
    succeeded: int
    failed: int
    skipped: int
    changed: bool
    status: Literal["completed", "partial", "failed"]
    results: list[VmResult]
    unreachable_hosts: dict[str, str] = Field(default_factory=dict)
