# SPDX-License-Identifier: Apache-2.0
"""Hyperstack: VMs, firewalls and what belongs to them."""
