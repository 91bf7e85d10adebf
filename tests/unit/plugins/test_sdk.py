# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where the SDK is found, and what is said where it does not fit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.hostler.fleet.plugins.module_utils import _sdk

import hostler

COLLECTIONS = Path(_sdk.__file__).parents[5]
"""Where this run of the tests finds ansible_collections."""


@pytest.mark.parametrize(
    ("version", "fits"),
    [("0.0.9", False), ("0.1.0", True), ("0.1.12", True), ("0.2", False), ("1.0", False)],
)
def test_range(monkeypatch: pytest.MonkeyPatch, version: str, fits: bool) -> None:
    monkeypatch.setattr(_sdk, "SDK_RANGE", ">=0.1.0,<0.2")
    assert _sdk.fits(version) is fits


def test_this_sdk_fits() -> None:
    assert _sdk.sdk_problem() is None


def test_another_version_is_named_with_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostler, "__version__", "0.9.0")
    problem = _sdk.sdk_problem() or ""
    assert "hostler 0.9.0" in problem
    assert hostler.__path__[0] in problem
    assert _sdk.SDK_RANGE in problem


def test_a_missing_sdk_is_a_sentence() -> None:
    code = (
        "import sys; sys.modules['hostler'] = None\n"
        "from ansible_collections.hostler.fleet.plugins.module_utils import _vm\n"
        "print(_vm.MODULE.perform({}, check=False)['msg'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(COLLECTIONS)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Failed to import the required Python library (hostler[all]" in done.stdout
