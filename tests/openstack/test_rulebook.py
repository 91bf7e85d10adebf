# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A full spot pool gets another host, by a real ansible-rulebook on a real OpenStack."""

from __future__ import annotations

from pathlib import Path

import pytest
from integration.test_rulebooks import Running, running, wait_for

from hostler import Fleet

__all__ = ["running"]


def spot_hosts(fleet: Fleet) -> int:
    pool = fleet.gpu.pool("L40", "spot")
    return len(pool.hosts)


@pytest.mark.slow
@pytest.mark.usefixtures("changed")
def test_a_full_pool_grows(
    running: Running,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for name in ("OS_CLIENT_CONFIG_FILE", "OS_CLOUD", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, environment[name])
    config = tmp_path / "fleet.yml"
    config.write_text("hosts: {tester: {uri: 'test:///default'}}\n")
    monkeypatch.setenv("HOSTLER_CONFIG", str(config))
    with Fleet() as fleet:
        assert spot_hosts(fleet) == 1
        with running("hostler.fleet.grow_full_pool") as output:
            wait_for(lambda: spot_hosts(fleet) == 2, output, 100)
