# SPDX-License-Identifier: Apache-2.0
"""Looking again and again until something has come."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from hostler.errors import BackendError, HostlerError, NotFound, Timeout
from hostler.plan.step import Report

if TYPE_CHECKING:
    from hostler.backends.hyperstack import HyperstackApi
    from hostler.models.hyperstack import HyperstackVm

T = TypeVar("T")

LOOKS = 5
"""How often the effect of a write is looked for that was not answered: lists may lag behind."""


def nothing(_fraction: float) -> None:
    """Report to nobody."""


def until(
    look: Callable[[], T | None],
    what: str,
    *,
    on: str,
    timeout: float,
    every: float,
    report: Report = nothing,
) -> T:
    """Look until there is something to return; ``what`` says what it is that has not come.

    Raises:
        Timeout: it has not come in time.
    """
    began = time.monotonic()
    while True:
        found = look()
        if found is not None:
            return found
        passed = time.monotonic() - began
        if passed + every > timeout:
            hint = "See 'hostler hyperstack vm list'; wait_timeout says how long to wait."
            raise Timeout(f"{what} in {timeout:g} s", on=on, hint=hint)
        report(min(1.0, passed / timeout))
        time.sleep(every)


def sent(api: HyperstackApi, act: Callable[[], None], took_effect: Callable[[], bool]) -> None:
    """Send a write once; where the answer is lost, look for a while whether it takes effect.

    Raises:
        HostlerError: what the write raised; still ``ambiguous`` where nothing showed.
    """
    try:
        act()
    except HostlerError as error:
        if not error.ambiguous or not _shows(api, took_effect):
            raise


def _shows(api: HyperstackApi, took_effect: Callable[[], bool]) -> bool:
    for number in range(LOOKS):
        time.sleep(api.config.poll_interval if number else 0)
        try:
            if took_effect():
                return True
        except HostlerError:
            return False
    return False


def wait_settled(
    api: HyperstackApi, number: int, *, on: str, timeout: float, report: Report = nothing
) -> HyperstackVm:
    """Wait until a VM is on its way no more.

    Raises:
        NotFound: it is gone.
        Timeout: it takes too long.
    """

    def look() -> HyperstackVm | None:
        vm = api.vms.get(number)
        return vm if vm.settled else None

    return until(
        look,
        "it has not come to rest",
        on=on,
        timeout=timeout,
        every=api.config.poll_interval,
        report=report,
    )


def wait_ready(
    api: HyperstackApi,
    number: int,
    *,
    on: str,
    floating_ip: bool,
    timeout: float,
    report: Report = nothing,
) -> HyperstackVm:
    """Wait until a new VM runs, and has its public address where it gets one.

    Raises:
        BackendError: it went into ERROR.
        NotFound: it is gone.
        Timeout: it takes too long.
    """

    def look() -> HyperstackVm | None:
        vm = api.vms.get(number)
        if vm.status == "ERROR":
            raise BackendError(
                f"it went into ERROR{_why(api, number)}",
                on=on,
                hint="See its events with 'hostler hyperstack vm show', and the stock.",
            )
        runs = vm.status == "ACTIVE" and vm.power_state in (None, "RUNNING")
        return vm if runs and (vm.floating_ip or not floating_ip) else None

    return until(
        look,
        "it does not run" + (" with a public address" if floating_ip else ""),
        on=on,
        timeout=timeout,
        every=api.config.poll_interval,
        report=report,
    )


def delete_vm(
    api: HyperstackApi, number: int, *, on: str, timeout: float, report: Report = nothing
) -> None:
    """Have a VM deleted, as soon as Hyperstack lets us: not while it is being created.

    Raises:
        HostlerError: it was refused.
        Timeout: it is still on its way.
    """

    def look() -> bool | None:
        vm = api.vms.find(number)
        if vm is None or vm.status in ("DELETING", "DELETED"):
            return True
        try:
            api.vms.delete(number)
        except NotFound:
            return True
        except HostlerError as error:
            return _goes_or_waits(api, vm, error)
        return True

    until(
        look,
        "Hyperstack has not let us delete it",
        on=on,
        timeout=timeout,
        every=api.config.poll_interval,
        report=report,
    )


def _goes_or_waits(api: HyperstackApi, before: HyperstackVm, error: HostlerError) -> bool | None:
    """Say of a refused deletion whether it goes anyway (True) or has to wait (None).

    A VM that was being created may have come to rest since it was refused.
    """
    if error.ambiguous:
        raise error
    vm = api.vms.find(before.id)
    if vm is None or vm.status in ("DELETING", "DELETED"):
        return True
    if before.settled and vm.settled:
        raise error
    return None


def wait_gone(
    api: HyperstackApi, number: int, *, on: str, timeout: float, report: Report = nothing
) -> None:
    """Wait until a VM is gone.

    Raises:
        Timeout: it takes too long.
    """

    def look() -> bool | None:
        vm = api.vms.find(number)
        return True if vm is None or vm.status == "DELETED" else None

    every = api.config.poll_interval
    until(look, "it is not gone", on=on, timeout=timeout, every=every, report=report)


def _why(api: HyperstackApi, number: int) -> str:
    """Return the latest reason among a VM's events, as far as it can be read."""
    try:
        events = api.vms.events(number)
    except HostlerError:
        return ""
    reasons = [e.get("message") or e.get("reason") for e in events]
    known = [text for text in reasons if isinstance(text, str) and text]
    return f": {known[-1].rstrip('.')}" if known else ""
