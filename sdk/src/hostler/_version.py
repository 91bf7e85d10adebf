# SPDX-License-Identifier: Apache-2.0
"""The SDK's version; the collection's galaxy.yml carries the same one."""

__version__ = "0.1.0"
