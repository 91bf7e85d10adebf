# SPDX-License-Identifier: Apache-2.0
"""What things are: pure data, checked by pydantic, no I/O."""
