# SPDX-License-Identifier: Apache-2.0
"""A Hyperstack that is not there: its API over real HTTP, with VMs that take time to build.

It holds what it is told; pages, limits and refuses as Hyperstack does, and fails where it is told
to. ``contracts/hyperstack.yaml`` says what is asked of it and what it answers.
"""

from __future__ import annotations

from hostler.testing.hyperstack.faults import Call
from hostler.testing.hyperstack.server import FakeHyperstack
from hostler.testing.hyperstack.store import Hooks, Row

__all__ = ["Call", "FakeHyperstack", "Hooks", "Row"]
