# SPDX-License-Identifier: Apache-2.0
"""Events: what happens to VMs and hosts, from many sources in one stream."""

from __future__ import annotations
