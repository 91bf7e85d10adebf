# SPDX-License-Identifier: Apache-2.0
"""Neutron: networks and ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hostler.backends.openstack.cloud import Cloud


class NetworkApi:
    """What we ask of Neutron."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
