# SPDX-License-Identifier: Apache-2.0
"""Moves domains to another hypervisor: started, watched, ended or aborted.

Flags and parameters: https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainMigrateToURI3
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import libvirt

from hostler.backends.libvirt import cut_moves
from hostler.backends.libvirt.connection import bounded, open_connection
from hostler.backends.libvirt.faults import translate, translated
from hostler.backends.libvirt.migration_target import copy_volume
from hostler.errors import HostlerError, InvalidInput, NotFound, Timeout
from hostler.models.vm_migration import MigrationFigures, MigrationWay, Mode

if TYPE_CHECKING:
    from hostler.backends.libvirt.hypervisor import Hypervisor

LOOK_SECONDS = 0.1
ABORT_SECONDS = 10
"""For a move that was aborted to end; its QEMU may be stuck on the network."""
CLOSE_SECONDS = 5
STALL_SECONDS = 60
"""Without a byte moved: the network between the hosts is gone."""


class Migrations:
    """The moves from one hypervisor."""

    def __init__(self, hypervisor: Hypervisor) -> None:
        self._hypervisor = hypervisor
        self._figures: dict[str, MigrationFigures] = {}

    def figures(self, name: str) -> MigrationFigures | None:
        """Return how far a domain's move is, or how it ended; None where we made none."""
        return self._figures.get(name)

    def forget(self, name: str) -> None:
        """Forget how an earlier move went."""
        self._figures.pop(name, None)

    def migrate(
        self,
        name: str,
        target: Hypervisor,
        way: MigrationWay,
        mode: Mode,
        on_figures: Callable[[MigrationFigures], None],
    ) -> None:
        """Move a domain and wait for the end.

        Raises:
            Timeout: aborted after ``way.timeout``, or because nothing moved any more.
            BackendError: libvirt gave up.
        """
        on = f"VM {name!r} on {self._hypervisor.uri}"
        with translated(on):
            domain = self._hypervisor.write().lookupByName(name)
            flags = _flags(way, mode)
            if mode == "offline" and domain.isActive():
                # libvirt would copy the definition, and say that all is well
                raise InvalidInput("it runs, and offline moves only definitions", on=on)
        # of its own: a move that QEMU never ends must not lose it when the fleet is closed
        far = None
        if not way.peer_to_peer:
            far = open_connection(target.uri, readonly=False, timeout=target.timeout)

        def run() -> None:
            if far is None:
                domain.migrateToURI3(target.uri, _parameters(way), flags)
            else:
                domain.migrate3(far, _parameters(way), flags)

        self._figures[name] = MigrationFigures()
        move = _Move(domain, far, run, on)
        try:
            ended = move.watch(way, lambda figures: self._note(name, figures, on_figures))
        finally:
            move.let_go()
        self._figures[name] = _completed(target.write(), name, ended)

    def send_volume(
        self, path: str, target: Hypervisor, pool: str, report: Callable[[float], None]
    ) -> None:
        """Make a volume on another host with the bytes, name and format of the one at a path."""
        copy_volume(self._hypervisor, path, target, pool, report)

    def is_moving(self, name: str) -> bool:
        """Whether a domain is being moved, by whomever; no for one that is not there."""
        on = f"VM {name!r} on {self._hypervisor.uri}"
        try:
            with translated(on):
                domain = self._hypervisor.write().lookupByName(name)
                job = bounded(domain.jobStats, 5, on) if domain.isActive() else {}
        except NotFound:
            return False
        return bool(job.get("operation") == libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT)

    def broke_off(self, name: str) -> bool:
        """Whether a domain stands still because its move broke off in post-copy."""
        on = f"VM {name!r} on {self._hypervisor.uri}"
        with translated(on):
            state, reason = self._hypervisor.read().lookupByName(name).state()
        failed = libvirt.VIR_DOMAIN_PAUSED_POSTCOPY_FAILED
        return bool(state == libvirt.VIR_DOMAIN_PAUSED and reason == failed)

    def was_cut(self, name: str) -> bool:
        """Whether a domain stands still since a move that nobody ended; see ``is_moving`` too."""
        return cut_moves.was_cut(self._hypervisor, name)

    def let_go(self, name: str) -> None:
        """Remove what is left of a domain that runs elsewhere; its files, NVRAM too, stay."""
        cut_moves.let_go(self._hypervisor, name)

    def abort(self, name: str) -> None:
        """Give up a domain's move; it stays where it is."""
        with translated(f"VM {name!r} on {self._hypervisor.uri}"):
            self._hypervisor.write().lookupByName(name).abortJob()

    def _note(
        self, name: str, figures: MigrationFigures, tell: Callable[[MigrationFigures], None]
    ) -> None:
        self._figures[name] = figures
        tell(figures)


class _Move:
    """One call that moves a domain, in a thread of its own."""

    def __init__(
        self,
        domain: libvirt.virDomain,
        far: libvirt.virConnect | None,
        run: Callable[[], None],
        on: str,
    ) -> None:
        self._domain, self._far, self._on = domain, far, on
        self._error: HostlerError | None = None
        self._figures = MigrationFigures()
        self._thread = threading.Thread(target=self._call, args=(run,), daemon=True)

    def _call(self, run: Callable[[], None]) -> None:
        try:
            run()
        except libvirt.libvirtError as error:
            self._error = explained(error, self._on)

    def watch(
        self, way: MigrationWay, tell: Callable[[MigrationFigures], None]
    ) -> MigrationFigures:
        """Wait for the end, telling of the way; returns the last figures."""
        began = moved = time.monotonic()
        late = False
        self._thread.start()
        try:
            while self._runs(LOOK_SECONDS):
                now, before = time.monotonic(), self._figures.processed
                self._look(now - began)
                tell(self._figures)
                moved = now if self._figures.processed != before else moved
                if way.timeout and not late and now - began > way.timeout:
                    late = self._too_late(way)
                self._give_up_if_lost(now - moved)
        except BaseException:
            self._abort()
            raise
        error, self._error = self._error, None
        if error:
            try:
                raise error
            finally:
                del error  # as in bounded: no circle that holds connections
        return self._figures

    def let_go(self) -> None:
        """Close the connection to the target, unless the call is in it still."""
        if self._far is not None and not self._thread.is_alive():
            with suppress(libvirt.libvirtError, Timeout):  # it may be broken
                bounded(self._far.close, CLOSE_SECONDS, self._on)

    def _runs(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return self._thread.is_alive()

    def _look(self, seconds: float) -> None:
        with suppress(libvirt.libvirtError, Timeout):  # it ended meanwhile, or is busy: look again
            stats = bounded(self._domain.jobStats, 5, self._on)
            if stats.get("data_total"):
                self._figures = figures_of(stats, seconds)

    def _too_late(self, way: MigrationWay) -> bool:
        """Do what is wanted then; whether that is done: post-copy begins after the disks."""
        if way.on_timeout == "abort":
            raise Timeout(
                f"the move was aborted after {way.timeout} s",
                on=self._on,
                hint="Allow more: timeout, bandwidth, auto_converge, or on_timeout: suspend.",
            )
        with suppress(libvirt.libvirtError):  # not yet, or it has ended
            if way.on_timeout == "suspend":
                self._domain.suspend()
            else:
                self._domain.migrateStartPostCopy(0)
            return True
        return False

    def _give_up_if_lost(self, idle: float) -> None:
        lost = self._far is not None and not self._far.isAlive()
        if lost or idle > STALL_SECONDS:
            what = "the target went away" if lost else f"nothing moved for {STALL_SECONDS} s"
            raise Timeout(
                f"{what}, so the move was aborted",
                on=self._on,
                hint="Check the target and the network between the hosts.",
            )

    def _abort(self) -> None:
        if not self._thread.is_alive():
            return
        until = time.monotonic() + ABORT_SECONDS
        with suppress(libvirt.libvirtError, Timeout):
            bounded(self._domain.abortJob, ABORT_SECONDS, self._on)
        self._thread.join(max(1, until - time.monotonic()))


def figures_of(stats: dict[str, Any], seconds: float) -> MigrationFigures:
    """Read libvirt's job statistics."""
    total, done = int(stats["data_total"]), int(stats.get("data_processed", 0))
    left = int(stats.get("data_remaining", 0))
    return MigrationFigures(
        percent=100.0 * max(0, total - left) / total if total else 0.0,
        total=total,
        processed=done,
        remaining=left,
        speed=stats.get("memory_bps") or stats.get("disk_bps") or _average(done, seconds),
        downtime=stats.get("downtime"),
        seconds=seconds,
    )


def _average(size: int, seconds: float) -> int | None:
    """Bytes per second: while it copies disks, libvirt does not tell."""
    return int(size / seconds) if size and seconds else None


def _completed(far: libvirt.virConnect, name: str, last: MigrationFigures) -> MigrationFigures:
    """Return the figures of a move that ended; the last ones seen where the target has none."""
    with suppress(libvirt.libvirtError):
        stats = far.lookupByName(name).jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED)
        if stats.get("data_total"):
            last = replace(
                figures_of(stats, int(stats.get("time_elapsed", 0)) / 1000),
                # libvirt stops to count when post-copy begins
                processed=max(last.processed, int(stats.get("data_processed", 0))),
            )
    return replace(last, percent=100.0, remaining=0)


def _flags(way: MigrationWay, mode: Mode) -> int:
    wanted = {
        libvirt.VIR_MIGRATE_LIVE: mode == "live",
        libvirt.VIR_MIGRATE_OFFLINE: mode == "offline",
        libvirt.VIR_MIGRATE_PERSIST_DEST: way.persist,
        libvirt.VIR_MIGRATE_UNDEFINE_SOURCE: way.undefine_source,
        libvirt.VIR_MIGRATE_PEER2PEER: way.peer_to_peer,
        libvirt.VIR_MIGRATE_UNSAFE: way.unsafe,
        libvirt.VIR_MIGRATE_ABORT_ON_ERROR: mode != "offline",
        libvirt.VIR_MIGRATE_NON_SHARED_DISK: way.storage == "copy" and mode != "offline",
        libvirt.VIR_MIGRATE_NON_SHARED_INC: way.storage == "incremental" and mode != "offline",
        libvirt.VIR_MIGRATE_POSTCOPY: way.post_copy and mode == "live",
        libvirt.VIR_MIGRATE_AUTO_CONVERGE: way.auto_converge and mode == "live",
        libvirt.VIR_MIGRATE_COMPRESSED: way.compression and mode != "offline",
        libvirt.VIR_MIGRATE_PARALLEL: bool(way.parallel_connections) and mode != "offline",
    }
    return sum(flag for flag, on in wanted.items() if on)


def _parameters(way: MigrationWay) -> dict[str, int]:
    given = {
        libvirt.VIR_MIGRATE_PARAM_BANDWIDTH: way.bandwidth,
        libvirt.VIR_MIGRATE_PARAM_BANDWIDTH_POSTCOPY: way.bandwidth if way.post_copy else None,
        libvirt.VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS: way.parallel_connections,
    }
    return {name: value for name, value in given.items() if value is not None}


def explained(error: libvirt.libvirtError, on: str) -> HostlerError:
    """Return our error of a move that libvirt gave up, with what to do."""
    found = translate(error, on)
    if error.get_error_code() == libvirt.VIR_ERR_MIGRATE_UNSAFE:
        hint = "Say storage: copy, or unsafe: true where both hosts do see the same files."
        return InvalidInput(found.what, on=on, hint=hint)
    if "Postcopy is not supported" in found.what:
        found.hint = "QEMU needs userfaultfd: set vm.unprivileged_userfaultfd=1 on both hosts."
    return found
