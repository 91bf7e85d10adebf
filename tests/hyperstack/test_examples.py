# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the modules' documentation do what they say: tests/examples/hyperstack.yml."""

from __future__ import annotations

from pathlib import Path

import examples
import pytest
from integration.conftest import Play
from rigs.hyperstack.furniture import ENV

from hostler.testing.hyperstack import FakeHyperstack


@pytest.mark.parametrize("door", ["local"])
def test_examples(play: Play, fake: FakeHyperstack, tmp_path: Path) -> None:
    fake.add_volume("datasets", ENV)
    (tmp_path / "key.pub").write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHost me@example.com")
    examples.check("hyperstack", play(examples.tasks("hyperstack"), folder=str(tmp_path)))
