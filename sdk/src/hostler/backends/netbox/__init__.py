# SPDX-License-Identifier: Apache-2.0
"""NetBox: whose hosts are. Only read, through pynetbox; answers are kept on disk for a while."""

from __future__ import annotations

from hostler.backends.netbox.client import Netbox

__all__ = ["Netbox"]
