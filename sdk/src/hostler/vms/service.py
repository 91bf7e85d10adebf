# SPDX-License-Identifier: Apache-2.0
"""fleet.vms: list, plan, run, batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from hostler.models.vm_task import BatchResult, Operation, VmQuery, VmResult, VmTask
from hostler.models.vm_view import Vm
from hostler.plan.plan import Plan
from hostler.plan.runner import Progress

if TYPE_CHECKING:
    from hostler.fleet import Fleet

OnProgress = Callable[[Progress], None] | None


class Vms:
    """VMs on libvirt hypervisors."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def list(
        self, query: VmQuery | None = None, *, uri: str | None = None, **filters: Any
    ) -> list[Vm]:
        """Read VMs over a read-only connection; ``filters`` are the fields of VmQuery."""
        raise NotImplementedError

    def get(self, name: str, *, uri: str | None = None, **filters: Any) -> Vm:
        """Read one VM by its exact name.

        Raises:
            NotFound: there is no VM of that name.
        """
        raise NotImplementedError

    def plan(
        self, tasks: Iterable[VmTask | Mapping[str, Any]], *, uri: str | None = None
    ) -> list[Plan]:
        """Plan tasks without touching anything; raises the first error."""
        raise NotImplementedError

    def run(
        self,
        tasks: Iterable[VmTask | Mapping[str, Any]],
        *,
        uri: str | None = None,
        check: bool = False,
        parallel: int | None = None,
        max_failures: int | None = None,
        read_back: bool = True,
        on_progress: OnProgress = None,
    ) -> list[VmResult]:
        """Bring VMs to what is wanted, side by side; errors are in the results.

        With ``check`` nothing is touched: the results say what would be.
        With ``read_back`` each result holds the VM as it is afterwards.
        """
        raise NotImplementedError

    def batch(
        self,
        operation: Operation,
        query: VmQuery,
        *,
        uri: str | None = None,
        options: Mapping[str, Any] | None = None,
        snapshot: str | None = None,
        check: bool = False,
        parallel: int | None = None,
        max_failures: int | None = None,
        on_progress: OnProgress = None,
    ) -> BatchResult:
        """Do one operation to every VM that the query finds; a result for each."""
        raise NotImplementedError
