# SPDX-License-Identifier: Apache-2.0
"""Metrics of VMs, hosts and pools: live, and their history."""
