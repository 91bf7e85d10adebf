# SPDX-License-Identifier: Apache-2.0
"""Launches: GPU VMs of Hyperstack on hosts of ours, placed, connected and guarded, or undone."""
