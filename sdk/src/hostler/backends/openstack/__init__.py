# SPDX-License-Identifier: Apache-2.0
"""OpenStack: Keystone, Nova, Placement, Neutron, through openstacksdk."""

from __future__ import annotations

from hostler.backends.openstack.cloud import Cloud

__all__ = ["Cloud"]
