# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's Molecule scenarios on a real OpenStack, with a Hyperstack to test with."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from integration import molecule
from rigs.hyperstack.contract import hold
from rigs.openstack import launching
from rigs.openstack.api import Cloud
from rigs.openstack.launching import HOST, SECRET, Bridge

from hostler.testing.hyperstack import FakeHyperstack

pytestmark = [pytest.mark.usefixtures("changed"), pytest.mark.timeout(300)]


def places() -> dict[str, list[str]]:
    found = Cloud().get("nova", "/v2.1/os-aggregates")["aggregates"]
    return {aggregate["name"]: sorted(aggregate["hosts"]) for aggregate in found}


def test_scenarios(environment: dict[str, str], tmp_path: Path) -> None:
    """The Hyperstack's VMs are servers of this OpenStack."""
    before = {name: len(hosts) for name, hosts in places().items()}
    with FakeHyperstack() as fake:
        launching.furnish(fake)
        Bridge(fake)
        config = launching.config(fake).model_dump(mode="json")
        config["hyperstack"].pop("api_key")
        wanted = {name: config[name] for name in ("hyperstack", "launches")}
        (tmp_path / "fleet.yml").write_text(yaml.safe_dump(wanted))
        keys = {"HYPERSTACK_API_KEY": launching.key_of(fake), "RUNPOD_API_KEY": SECRET}
        words = {**environment, **keys, "HOSTLER_CONFIG": str(tmp_path / "fleet.yml")}
        said = molecule.scenarios({**words, "HOSTLER_TEST_GPU_HOST": HOST}, *molecule.OPENSTACK)
        assert not any(key in said for key in keys.values())
        assert fake.vm(HOST) is None
        assert fake.count("POST", "/core/virtual-machines") == 1
    hold(fake.calls)
    assert {name: len(hosts) for name, hosts in places().items()} == before
