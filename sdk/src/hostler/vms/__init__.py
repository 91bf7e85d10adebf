# SPDX-License-Identifier: Apache-2.0
"""VMs on libvirt hypervisors: observe, plan, apply."""
