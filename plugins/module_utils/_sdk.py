# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SDK: found here, and refused where its version does not fit."""

from __future__ import annotations

import sys

from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.compat.version import LooseVersion

try:
    import hostler
except ImportError:
    FOUND = False
else:
    FOUND = True

SDK_RANGE = ">=0.1.0,<0.2"


def sdk_problem() -> str | None:
    """Say why the SDK can't be used, or None where it can."""
    if not FOUND:
        return str(missing_required_lib(f"hostler[all]{SDK_RANGE}"))
    if fits(hostler.__version__):
        return None
    return (
        f"hostler {hostler.__version__} at {hostler.__path__[0]} does not fit the collection"
        f" hostler.fleet, which needs hostler{SDK_RANGE}. Run: "
        f"{sys.executable} -m pip install 'hostler[all]{SDK_RANGE}'"
    )


def fits(version: str) -> bool:
    """Whether a version of the SDK is within SDK_RANGE."""
    lowest, above = (bound.lstrip("<>=") for bound in SDK_RANGE.split(","))
    return bool(LooseVersion(lowest) <= LooseVersion(version) < LooseVersion(above))
