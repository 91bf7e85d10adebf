# SPDX-License-Identifier: Apache-2.0
"""OpenStack's servers, networks and ports."""
