# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks that people start from, as they are, on real guests."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import PLAYBOOK, PREFIX, ROOT, URI, Dump, Results

PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
LABELS = {"app": "shop", "role": "web"}
VARIABLES: dict[str, Any] = {
    "hypervisor": URI,
    "image": str(ROOT / ".cache" / "guest" / "hostler-guest.qcow2"),
    "app_vms": [{"name": f"{PREFIX}{name}", "labels": LABELS} for name in ("web1", "web2")],
}
CHANGE, SNAPSHOT = (
    "Bring the VMs to what is wanted",
    "Take a snapshot of each, before the next release",
)


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: str(path.name))
def test_syntax(playbook: Path, environment: dict[str, str]) -> None:
    """By the full name, as people run them."""
    name = f"hostler.fleet.{playbook.stem}"
    words: list[str | Path] = [PLAYBOOK, name, "--syntax-check", "--inventory", "localhost,"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def lifecycle(environment: dict[str, str], *words: str, **variables: Any) -> Results:
    """Run the playbook; the results of its tasks by their names."""
    results = Path(environment["HOSTLER_TEST_RESULTS"])
    results.unlink(missing_ok=True)
    extra = json.dumps({**VARIABLES, **variables})
    command: list[str | Path] = [
        PLAYBOOK,
        "hostler.fleet.vm_lifecycle",
        "--extra-vars",
        extra,
        *words,
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(line) for line in results.read_text().splitlines())


@pytest.mark.usefixtures("clean")
def test_life_of_vms(environment: dict[str, str], dump: Dump) -> None:
    before = dump()
    said = lifecycle(environment, "--check", "--diff")
    assert said[CHANGE]["changed"]
    assert dump() == before
    made = lifecycle(environment)
    assert [r["plan"]["summary"] for r in made[CHANGE]["results"]] == [
        r["plan"]["summary"] for r in said[CHANGE]["results"]
    ]
    assert made[SNAPSHOT]["changed"]
    found = made["Read their addresses"]["vms"]
    assert all(vm["network"]["ip_address"] for vm in found)
    assert len(found) == len(VARIABLES["app_vms"])
    again = lifecycle(environment)
    assert not any(result["changed"] for result in again.values())
    gone = lifecycle(environment, wanted="absent")
    assert gone[CHANGE]["changed"]
    assert dump() == before
    assert not lifecycle(environment, wanted="absent")[CHANGE]["changed"]


@pytest.mark.usefixtures("clean")
def test_an_image_that_is_not_there(environment: dict[str, str], dump: Dump) -> None:
    before = dump()
    with pytest.raises(AssertionError, match=r"/nowhere\.qcow2: there is no such file"):
        lifecycle(environment, image="/nowhere.qcow2")
    assert dump() == before
