# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the modules' documentation do what they say: tests/examples/openstack.yml."""

from __future__ import annotations

import examples
import pytest
from integration.conftest import Play

from .test_hyperstack_launch import environment, fake

__all__ = ["environment", "fake"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("door", ["local"])
@pytest.mark.usefixtures("changed")
def test_examples(play: Play) -> None:
    examples.check("openstack", play(examples.tasks("openstack")))
