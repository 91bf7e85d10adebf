# SPDX-License-Identifier: Apache-2.0
"""The pool of libvirt hypervisors: registry, figures, placement."""
