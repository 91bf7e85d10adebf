# SPDX-License-Identifier: Apache-2.0
"""fleet.vms: find, plan, run, batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hostler.errors import HostlerError, InvalidInput, NotFound
from hostler.models.problems import checked
from hostler.models.vm_task import (
    BatchResult,
    Operation,
    VmPage,
    VmQuery,
    VmResult,
    literal,
)
from hostler.models.vm_view import Vm
from hostler.plan.plan import Plan
from hostler.vms.across import find_vms, hidden
from hostler.vms.batch import choose, snapshot_batch
from hostler.vms.request import Asked, Item, OnProgress, Request
from hostler.vms.results import batch_of

if TYPE_CHECKING:
    from hostler.fleet import Fleet

TRIES = 5
"""How often a VM is placed anew whose room somebody else got meanwhile."""

_STATES: dict[Operation, str] = {
    "start": "running",
    "stop": "stopped",
    "restart": "restarted",
    "reset": "reset",
    "pause": "paused",
    "resume": "running",
    "delete": "absent",
}


class Vms:
    """VMs on libvirt hypervisors."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def find(
        self,
        query: VmQuery | None = None,
        *,
        uri: str | None = None,
        host: str | None = None,
        **filters: Any,
    ) -> VmPage:
        """Read one page of the VMs that a query finds, over read-only connections.

        Args:
            query: which VMs; or its fields as ``filters``.
            uri: the hypervisor. Where nothing names one, it is all hosts of the pool or, where the
                pool has none, libvirt's default.
            host: the same, as a host of the pool.
            filters: fields of VmQuery.

        Raises:
            InvalidInput: a filter makes no sense.
            Unreachable: no hypervisor answers; or a VM that is named is not found, and may be on a
                host that does not answer.
        """
        query = query or checked(VmQuery, filters, on="VM query")
        found = find_vms(self._fleet, query, uri, host)
        for error in hidden(self._fleet, found, found.missing(query)).values():
            raise error
        vms = found.vms
        limit = query.limit or max(1, len(vms))
        start = (query.page - 1) * limit
        return VmPage(
            vms=vms[start : start + limit],
            total=len(vms),
            page=query.page,
            limit=query.limit,
            pages=max(1, -(-len(vms) // limit)),
            warnings=found.warnings(vms[start : start + limit]),
            unreachable_hosts=found.reasons,
        )

    def list(
        self,
        query: VmQuery | None = None,
        *,
        uri: str | None = None,
        host: str | None = None,
        **filters: Any,
    ) -> Sequence[Vm]:
        """Read the VMs that a query finds; see ``find``."""
        return self.find(query, uri=uri, host=host, **filters).vms

    def get(
        self, name: str, *, uri: str | None = None, host: str | None = None, **filters: Any
    ) -> Vm:
        """Read one VM by its exact name.

        Raises:
            NotFound: there is no VM of that name.
            Conflict: several hosts of the pool have one.
            Unreachable: it may be on a host that does not answer.
        """
        query = checked(VmQuery, {"names": (literal(name),), **filters}, on="VM query")
        found = find_vms(self._fleet, query, uri, host)
        if several := found.several(name):
            raise several
        if found.vms:
            return found.vms[0]
        for error in hidden(self._fleet, found, [name]).values():
            raise error
        on = f"VM {name!r} on {found.where}"
        raise NotFound("there is no such VM", on=on, hint="See 'hostler vm list'.")

    def plan(
        self, tasks: Iterable[Asked], *, uri: str | None = None, host: str | None = None
    ) -> Sequence[Plan]:
        """Plan tasks without touching anything.

        Raises:
            HostlerError: the first error of any task.
        """
        request = self.prepare(tasks, uri=uri, host=host)
        plans = []
        for item in request.items:
            if isinstance(item.plan, HostlerError):
                raise item.plan
            plans.append(item.plan.bind(self._fleet.runner))
        return plans

    def prepare(
        self, tasks: Iterable[Asked], *, uri: str | None = None, host: str | None = None
    ) -> Request:
        """Plan tasks that are to be shown before exactly that is applied; see ``Request``.

        Raises:
            InvalidInput: two tasks are for the same VM.
            Unreachable: the hypervisor does not answer.
        """
        return Request(self._fleet, tasks, uri=uri, host=host)

    def run(  # noqa: PLR0913 - all by name
        self,
        tasks: Iterable[Asked],
        *,
        uri: str | None = None,
        host: str | None = None,
        check: bool = False,
        parallel: int | None = None,
        max_failures: int | None = None,
        read_back: bool = True,
        on_progress: OnProgress = None,
    ) -> Sequence[VmResult]:
        """Bring VMs to what is wanted, side by side; a result for each, errors inside.

        Args:
            tasks: VmTasks, or mappings of VmSpec's and VmOptions' fields.
            uri: the hypervisor; the fleet's own where left out.
            host: the same, as a host of the pool.
            check: touch nothing: the results say what would be.
            parallel: how many at once; the fleet's ``parallel`` where left out.
            max_failures: start no more VMs once more than so many have failed.
            read_back: read each VM afterwards into its result.
            on_progress: is told of every step.

        Raises:
            InvalidInput: two tasks are for the same VM.
            Unreachable: the hypervisor does not answer.
        """
        request = self.prepare(tasks, uri=uri, host=host)
        if check:
            return request.preview(read_back=read_back)
        how: dict[str, Any] = {
            "parallel": parallel,
            "max_failures": max_failures,
            "read_back": read_back,
            "on_progress": on_progress,
        }
        results = request.apply(**how)
        numbers = list(range(len(results)))
        for _ in range(TRIES):
            outrun = request.outrun()
            numbers = [numbers[one] for one in outrun]
            again = [task for one in outrun if (task := request.items[one].asked)]
            if not again:
                break
            request = self.prepare(again, uri=uri, host=host)
            for number, result in zip(numbers, request.apply(**how), strict=True):
                results[number] = result
        return results

    def batch(  # noqa: PLR0913 - as run
        self,
        operation: Operation,
        query: VmQuery,
        *,
        uri: str | None = None,
        host: str | None = None,
        options: Mapping[str, Any] | None = None,
        snapshot: str | None = None,
        check: bool = False,
        parallel: int | None = None,
        max_failures: int | None = None,
        on_progress: OnProgress = None,
    ) -> BatchResult:
        """Do one operation to every VM that the query finds; a result for each.

        Args:
            operation: what to do.
            query: to which VMs; a name without a glob that is not there is a failed result, except
                for ``delete``; so is one that several hosts have, or that may be on a host which
                does not answer.
            uri: the hypervisor. Where nothing names one, it is all hosts of the pool or, where the
                pool has none, libvirt's default.
            host: the same, as a host of the pool.
            options: fields of VmOptions (``force``, ``timeout``, ``delete_disks`` ...).
            snapshot: the snapshot's name, for operation ``snapshot``.
            check: touch nothing: the results say what would be.
            parallel: how many at once.
            max_failures: start no more VMs once more than so many have failed.
            on_progress: is told of every step.

        Raises:
            InvalidInput: operation ``snapshot`` without a name.
        """
        if operation == "snapshot" and not snapshot:
            raise InvalidInput("operation snapshot needs a name for the snapshot")
        if operation == "snapshot":
            return snapshot_batch(
                self._fleet,
                query,
                str(snapshot),
                uri=uri,
                host=host,
                check=check,
                parallel=parallel,
                max_failures=max_failures,
                on_progress=on_progress,
            )
        request = self.prepare_batch(operation, query, uri=uri, host=host, options=options)
        if check:
            done = request.preview(read_back=False)
        else:
            done = request.apply(
                parallel=parallel,
                max_failures=max_failures,
                read_back=False,
                on_progress=on_progress,
            )
        return batch_of(operation, done, request.unreachable)

    def prepare_batch(
        self,
        operation: Operation,
        query: VmQuery,
        *,
        uri: str | None = None,
        host: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Request:
        """Plan a batch (no snapshots) that is to be shown before exactly that is applied."""
        found, bad = choose(self._fleet, query, uri, host, gone_is_well=operation == "delete")
        common = {**(options or {}), "state": _STATES[operation]}
        tasks = [{"name": vm.name, "host": vm.host_id, **common} for vm in found.vms]
        request = self.prepare(tasks, uri=uri)
        request.items += [Item(name, error) for name, error in bad.items()]
        request.unreachable = found.reasons
        return request
