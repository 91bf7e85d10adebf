# SPDX-License-Identifier: Apache-2.0
"""One room per outside system; each speaks its language and knows no other."""
