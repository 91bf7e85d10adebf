# SPDX-License-Identifier: Apache-2.0
"""Moves VMs between hypervisors."""
