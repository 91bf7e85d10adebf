# SPDX-License-Identifier: Apache-2.0
"""Virtual networks of hypervisors."""
