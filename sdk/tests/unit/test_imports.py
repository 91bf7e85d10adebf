# SPDX-License-Identifier: Apache-2.0
"""What is loaded when: programs that start often pay for every import."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

HEAVY = {"libvirt", "lxml", "openstack", "pydantic", "requests", "sqlalchemy", "typer", "yaml"}


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_hostler_is_light() -> None:
    assert loaded_by("import hostler") & HEAVY == set()


def test_every_public_name_is_found_when_asked_for() -> None:
    loaded = loaded_by("import hostler\nfor name in hostler.__all__: getattr(hostler, name)")
    assert "hostler.fleet" in loaded


@pytest.mark.parametrize("absent", ["pydantic", "sqlalchemy", "yaml", "openstack"])
def test_inventory_loads_no_models_and_no_database(absent: str) -> None:
    assert absent not in loaded_by("import hostler.vms.inventory")


def test_an_overview_of_gpu_hosts_loads_no_database() -> None:
    assert "sqlalchemy" not in loaded_by("from hostler import Fleet\nFleet().gpu")
