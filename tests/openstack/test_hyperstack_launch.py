# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hyperstack_launch, role runpod_host and its playbook: VMs are servers of the real Nova."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.conftest import PLAYBOOK, ROOT, Play
from rigs.hyperstack.contract import hold
from rigs.openstack import launching
from rigs.openstack.api import Cloud
from rigs.openstack.launching import HOST, IMAGE_NAME, POOL, SECRET, Bridge

from hostler.testing.hyperstack import FakeHyperstack

pytestmark = pytest.mark.usefixtures("changed")

MODULE = "hostler.fleet.hyperstack_launch"
SEED = {"api_key": SECRET, "installer_url": "https://example.com/install"}
TASK: dict[str, Any] = {"hostname": HOST, "image": IMAGE_NAME, "runpod": SEED}


@pytest.fixture
def fake() -> Iterator[FakeHyperstack]:
    with FakeHyperstack() as fake:
        launching.furnish(fake)
        Bridge(fake)
        yield fake
    hold(fake.calls)


@pytest.fixture
def environment(
    environment: dict[str, str], fake: FakeHyperstack, tmp_path: Path
) -> dict[str, str]:
    """As ever, with a fleet.yml of the fake's regions; its key comes from the environment."""
    config = launching.config(fake).model_dump(mode="json", exclude={"hyperstack": {"api_key"}})
    wanted = {name: config[name] for name in ("hyperstack", "launches")}
    file = tmp_path / "fleet.yml"
    file.write_text(yaml.safe_dump(wanted))
    key = {"HYPERSTACK_API_KEY": launching.key_of(fake)}
    return {**environment, **key, "HOSTLER_CONFIG": str(file)}


def in_pool() -> None:
    cloud = Cloud()
    found = cloud.get("nova", "/v2.1/os-aggregates")["aggregates"]
    ids = {aggregate["name"]: aggregate["id"] for aggregate in found}
    for name, action in ((POOL, "add_host"), ("L40-n3", "remove_host")):
        path = f"/v2.1/os-aggregates/{ids[name]}/action"
        cloud.post("nova", path, {action: {"host": HOST}})


def test_life(play: Play, fake: FakeHyperstack, tmp_path: Path) -> None:
    in_pool()
    results = play(
        [
            {"name": "preview", MODULE: TASK, "check_mode": True, "diff": True},
            {"name": "launched", MODULE: TASK},
            {"name": "again", MODULE: TASK},
            {"name": "another", MODULE: {**TASK, "image": "none"}, "ignore_errors": True},
            {"name": "no host", MODULE: {**TASK, "hostname": "x"}, "ignore_errors": True},
            {"name": "two seeds", MODULE: {**TASK, "user_data": "#cloud"}, "ignore_errors": True},
        ]
    )
    preview, launched = results["preview"], results["launched"]
    assert preview["changed"]
    assert preview["vm_id"] is None
    assert preview["estimated_resources"]["flavor"] == "n3-L40x8"
    assert preview["diff"] == launched["diff"]
    assert launched["changed"]
    assert launched["plan"]["commands"][2:] != []
    assert (launched["status"], launched["placed_on"]) == ("ACTIVE", HOST)
    assert (launched["network_setup"], launched["firewall_configured"]) == (True, True)
    assert results["again"]["changed"] is False
    assert "its image is RunPod Ubuntu 22.04, not none" in results["another"]["msg"]
    assert "it is in no region" in results["no host"]["msg"]
    assert "mutually exclusive" in results["two seeds"]["msg"]
    assert fake.count("POST", "/core/virtual-machines") == 1
    output = (tmp_path / "output.txt").read_text()
    assert SECRET not in output + str(results)
    assert launching.key_of(fake) not in output + str(results)


def playbook(environment: dict[str, str], *more: str) -> str:
    done = subprocess.run(
        [PLAYBOOK, "hostler.fleet.runpod_launch", "-vvvv", *more],
        env={**environment, "RUNPOD_API_KEY": SECRET, "PATH": os.environ["PATH"]},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_playbook(environment: dict[str, str], fake: FakeHyperstack) -> None:
    wanted = ["-e", "gpu_type=L40", "-e", "count=1"]
    checked = playbook(environment, "--check", *wanted)
    assert fake.vm(HOST) is None
    said = playbook(environment, *wanted)
    vm = fake.vm(HOST)
    assert vm is not None
    assert f"{HOST}: VM {vm['id']} is ACTIVE on {HOST}, network True, firewall True" in said
    for output in (checked, said):
        assert SECRET not in output
        assert launching.key_of(fake) not in output
