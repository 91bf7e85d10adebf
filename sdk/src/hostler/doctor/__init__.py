# SPDX-License-Identifier: Apache-2.0
"""The doctor: looks at what VMs need on a host, says what is wrong and how to mend it."""
