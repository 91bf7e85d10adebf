# SPDX-License-Identifier: Apache-2.0
"""libvirt: one connection per hypervisor, its reads and its writes."""

from __future__ import annotations

from hostler.backends.libvirt.hypervisor import Hypervisor

__all__ = ["Hypervisor"]
