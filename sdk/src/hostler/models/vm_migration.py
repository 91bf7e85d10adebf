# SPDX-License-Identifier: Apache-2.0
"""Moving a VM to another hypervisor: as it is wanted, how it goes, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, model_validator

from hostler.models.result import Result
from hostler.models.vm import Part

Mode = Literal["live", "paused", "offline"]
Storage = Literal["shared", "copy", "incremental"]
OnTimeout = Literal["abort", "suspend", "post-copy"]


class MigrationWay(Part):
    """How a VM is moved (libvirt's migration flags and parameters).

    Attributes:
        storage: its disks are seen by both hosts (``shared``), are copied whole (``copy``) or
            only what is above their backing files, which the target has (``incremental``).
        unsafe: move it although libvirt can't tell that its storage is shared.
        peer_to_peer: the source's daemon drives the move itself: it goes on when we die, and the
            source must be able to log in to the target.
        post_copy: allow the move to be ended by post-copy.
        auto_converge: slow the guest down where it writes faster than it can be copied.
        compression: compress the memory.
        parallel_connections: how many connections carry the memory.
        bandwidth: at most this many MiB/s.
        timeout: seconds until ``on_timeout``; None: as long as there is progress.
        on_timeout: give up (``abort``), pause the guest so that it ends, or go to post-copy.
        persist: define it on the target.
        undefine_source: remove its definition from the source.
    """

    storage: Storage = "shared"
    unsafe: bool = False
    peer_to_peer: bool = False
    post_copy: bool = False
    auto_converge: bool = False
    compression: bool = False
    parallel_connections: int | None = Field(None, ge=1, le=64)
    bandwidth: int | None = Field(None, ge=1, le=1048576)
    timeout: int | None = Field(None, ge=1, le=86400)
    on_timeout: OnTimeout = "abort"
    persist: bool = True
    undefine_source: bool = True

    @model_validator(mode="after")
    def _fits(self) -> MigrationWay:
        if self.undefine_source and not self.persist:
            raise ValueError("persist: false with undefine_source: true would lose its definition")
        if self.on_timeout == "post-copy" and not self.post_copy:
            raise ValueError("on_timeout: post-copy needs post_copy: true")
        if self.post_copy and self.parallel_connections:
            raise ValueError("post_copy and parallel_connections exclude each other")
        return self


class VmMigrationTask(MigrationWay):
    """A VM and the hypervisor where it should be.

    Attributes:
        vm: the VM's name.
        target_host: the host of the pool that it should be on.
        target_uri: in place of a host: the libvirt URI.
        mode: ``live``, ``paused`` (the guest stands still meanwhile) or ``offline`` (the
            definition of a stopped VM); None: ``live`` for one that runs, else ``offline``.
        override_protection: move a VM that the fleet's policy protects.
    """

    vm: str = Field(min_length=1, max_length=255)
    target_host: str | None = None
    target_uri: str | None = None
    mode: Mode | None = None
    override_protection: bool = False

    @model_validator(mode="after")
    def _one_target(self) -> VmMigrationTask:
        if bool(self.target_host) == bool(self.target_uri):
            raise ValueError("give one of target_host and target_uri")
        return self

    @property
    def way(self) -> MigrationWay:
        """How it is moved."""
        return MigrationWay(**{k: getattr(self, k) for k in MigrationWay.model_fields})


@dataclass(frozen=True)
class MigrationFigures:
    """How far a move is.

    Attributes:
        percent: of the memory and disks, 0 to 100.
        total, processed, remaining: bytes.
        speed: bytes per second (of disks: on average); None where unknown.
        downtime: milliseconds that the guest stands (will stand) still; None where unknown.
        seconds: since it began.
    """

    percent: float = 0.0
    total: int = 0
    processed: int = 0
    remaining: int = 0
    speed: int | None = None
    downtime: int | None = None
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """The figures in words."""
        parts = [f"{self.percent:.0f} %", f"{self.remaining / 2**20:.0f} MiB left"]
        if self.speed:
            parts.append(f"{self.speed / 2**20:.0f} MiB/s")
        if self.downtime is not None:
            parts.append(f"downtime {self.downtime} ms")
        return ", ".join(parts)


class VmMigrationResult(Result):
    """What became of one VM.

    Attributes:
        source_host, target_host: the URIs that it was moved between.
        status: ``migrated``, ``unchanged``, ``planned`` (check mode) or ``failed``.
        runs_on: where it was found afterwards; None where that could not be found out, or it
            does not run.
        downtime: milliseconds that the guest stood still; None where unknown.
        data: bytes that were moved; None where unknown.
    """

    source_host: str | None = None
    target_host: str | None = None
    status: Literal["migrated", "unchanged", "planned", "failed"] = "failed"
    runs_on: str | None = None
    downtime: int | None = None
    data: int | None = None
