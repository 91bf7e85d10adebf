# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory hostler.fleet.vms of a Hyperstack, through ansible-inventory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hostler.testing.hyperstack import FakeHyperstack

ROOT = Path(__file__).resolve().parents[2]
GROUPS = ["environment", "region", "flavor", "status", "labels"]


@pytest.fixture
def fake() -> Iterator[FakeHyperstack]:
    with FakeHyperstack() as fake:
        fake.add_environment("prod", "CANADA-1")
        fake.add_image("Ubuntu", "CANADA-1")
        fake.add_keypair("ops", "prod")
        fake.add_flavor("n3-L40x1", "CANADA-1", gpu="L40", gpu_count=1)
        fake.add_vm(
            "web",
            "prod",
            image="Ubuntu",
            flavor="n3-L40x1",
            key="ops",
            status="ACTIVE",
            floating_ip=True,
            labels=["runpod", "stage=test"],
        )
        yield fake


def run(fake: FakeHyperstack, tmp_path: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "hyperstack.hostler.yml"
    wanted = {"plugin": "hostler.fleet.vms", "sources": ["hyperstack"], **options}
    file.write_text(json.dumps(wanted))
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
        "HYPERSTACK_API_URL": fake.url,
        "HYPERSTACK_API_KEY": fake.api_key or "revoked",
    }
    program = Path(sys.executable).parent / "ansible-inventory"
    return subprocess.run(
        [program, "--list", "--inventory", file],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


def plain(value: dict[str, Any]) -> Any:
    """Take off the mark that Ansible puts on what is no template."""
    return value.get("__ansible_unsafe", value)


def test_vms_become_hosts(fake: FakeHyperstack, tmp_path: Path) -> None:
    done = run(fake, tmp_path, group_by=GROUPS, strict=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout, object_hook=plain)
    facts = found["_meta"]["hostvars"]["web"]
    vm = fake.vm("web")
    assert vm is not None
    assert facts["ansible_host"] == vm["floating_ip"]
    assert facts["hostler_vm"]["gpu"] == "L40"
    groups = {name for name, group in found.items() if "web" in group.get("hosts", ())}
    assert groups == {
        "environment_prod",
        "region_CANADA_1",
        "flavor_n3_L40x1",
        "status_running",
        "label_runpod",
        "label_stage_test",
    }
    assert str(fake.api_key) not in done.stdout


def test_a_key_that_is_not_accepted(fake: FakeHyperstack, tmp_path: Path) -> None:
    fake.revoke()
    done = run(fake, tmp_path)
    assert "the API key is not accepted" in done.stderr
    assert "Traceback" not in done.stderr
    assert "revoked" not in done.stderr
