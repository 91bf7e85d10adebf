# SPDX-License-Identifier: Apache-2.0
"""GPU pools on OpenStack: who has what, where a host should go, and moving it there."""
