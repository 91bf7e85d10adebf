# SPDX-License-Identifier: Apache-2.0
"""Hosts in maintenance: their VMs go elsewhere, and come back."""
