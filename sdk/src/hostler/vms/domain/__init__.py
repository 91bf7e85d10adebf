# SPDX-License-Identifier: Apache-2.0
"""Domain XML: pure functions over a parsed tree. What we don't model survives untouched."""
