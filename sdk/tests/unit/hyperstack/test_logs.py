# SPDX-License-Identifier: Apache-2.0
"""The console's log of a VM on Hyperstack, in the words of all logs."""

from __future__ import annotations

import pytest

from hostler import Fleet
from hostler.errors import NotFound
from hostler.testing.hyperstack import FakeHyperstack

from .conftest import ENV


def test_logs(fleet: Fleet, fake: FakeHyperstack) -> None:
    fake.add_vm("web-1", ENV, image="Ubuntu 22.04", flavor="n3-L40x1")
    found = fleet.logs.hyperstack("web-1", environment=ENV, lines=2)
    assert found.vm == "web-1"
    assert len(found.logs) == 2
    for entry in found.logs:
        assert (entry.source, entry.timestamp, entry.level) == ("hyperstack", None, None)
        assert entry.message


def test_no_such_vm(fleet: Fleet) -> None:
    with pytest.raises(NotFound):
        fleet.logs.hyperstack("nobody", environment=ENV)
