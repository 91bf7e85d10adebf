# SPDX-License-Identifier: Apache-2.0
"""Storage of hypervisors: pools."""
