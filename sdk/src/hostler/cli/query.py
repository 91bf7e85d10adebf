# SPDX-License-Identifier: Apache-2.0
"""Makes a VmQuery of a command's arguments."""

from __future__ import annotations

from typing import Any

from hostler.errors import InvalidInput
from hostler.models.problems import checked
from hostler.models.vm_task import VmQuery


def query_of(names: list[str] | None, labels: list[str] | None, **filters: Any) -> VmQuery:
    """Return the query for names and labels (``key`` or ``key=value``) and other filters.

    Raises:
        InvalidInput: a filter makes no sense.
    """
    pairs = [label.partition("=") for label in labels or ()]
    by_label = {key: value if sign else "*" for key, sign, value in pairs}
    data = {"names": tuple(names or ()), "labels": by_label, **filters}
    return checked(VmQuery, data, on="VM query")


def some(names: list[str] | None, labels: list[str] | None) -> VmQuery:
    """Return the query for VMs that an operation is for; all of them must be said by '*'.

    Raises:
        InvalidInput: neither a name nor a label is given.
    """
    if not names and not labels:
        raise InvalidInput("name the VMs", hint="Give names, globs ('*' for all) or --label.")
    return query_of(names, labels)
