# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role vm_fleet, and restarting VMs one after the other."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import PLAYBOOK, PREFIX, ROOT, URI, Dump, Results

IMAGE = str(ROOT / ".cache" / "guest" / "hostler-guest.qcow2")
WANTED = "Bring the VMs to what is wanted"
REMOVED = "Remove them"

Environment = dict[str, str]


def run(environment: Environment, playbook: Path | str, *words: str, **variables: Any) -> Results:
    """Run a playbook; the results of its tasks by their names."""
    results = Path(environment["HOSTLER_TEST_RESULTS"])
    results.unlink(missing_ok=True)
    extra = json.dumps(variables)
    command: list[str | Path] = [PLAYBOOK, playbook, "--extra-vars", extra, *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    pairs = [json.loads(line) for line in results.read_text().splitlines()]
    return {name.rpartition(" : ")[2]: result for name, result in pairs}


def fleet(environment: Environment, tmp_path: Path, *names: str, **variables: Any) -> Results:
    """Run the role for VMs of these names."""
    book = tmp_path / "fleet.yml"
    role = {"role": "hostler.fleet.vm_fleet"}
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "roles": [role]}
    book.write_text(json.dumps([play]))
    words = variables.pop("words", ())
    usual = {
        "vm_fleet_name": PREFIX + "shop",
        "vm_fleet_vms": [{"name": PREFIX + name, "labels": {"role": name}} for name in names],
        "vm_fleet_defaults": {"memory": "64MiB", "labels": {"app": "shop"}},
        "vm_fleet_uri": URI,
        "vm_fleet_state": "stopped",
    }
    return run(environment, book, *words, **{**usual, **variables})


@pytest.mark.usefixtures("clean")
def test_a_fleet_and_what_left_it(environment: Environment, tmp_path: Path, dump: Dump) -> None:
    before = dump()
    said = fleet(environment, tmp_path, "web", "db", words=("--check",))
    assert said[WANTED]["changed"]
    assert dump() == before

    made = fleet(environment, tmp_path, "web", "db")
    assert [vm["labels"] for vm in made[WANTED]["vms"]] == [
        {"app": "shop", "role": name, "fleet": PREFIX + "shop"} for name in ("web", "db")
    ]
    full = dump()
    again = fleet(environment, tmp_path, "web", "db", vm_fleet_prune=True)
    assert not any(result["changed"] for result in again.values())

    kept = fleet(environment, tmp_path, "web")
    assert not kept[WANTED]["changed"]
    said = fleet(environment, tmp_path, "web", vm_fleet_prune=True, words=("--check",))
    assert said[REMOVED]["changed"]
    assert dump() == full
    gone = fleet(environment, tmp_path, "web", vm_fleet_prune=True)
    assert [one["name"] for one in gone[REMOVED]["results"]] == [PREFIX + "db"]
    again = fleet(environment, tmp_path, "web", vm_fleet_prune=True)
    assert not any(result["changed"] for result in again.values())


@pytest.mark.usefixtures("clean")
def test_too_many_to_remove(environment: Environment, tmp_path: Path, dump: Dump) -> None:
    fleet(environment, tmp_path, "a", "b", "c")
    before = dump()
    with pytest.raises(AssertionError, match=r"2 VMs of the fleet .* Nothing was changed"):
        fleet(environment, tmp_path, "a", vm_fleet_prune=True, vm_fleet_prune_max=1)
    assert dump() == before


@pytest.mark.usefixtures("clean")
def test_restart_one_after_the_other(environment: Environment, tmp_path: Path) -> None:
    names = [PREFIX + name for name in ("one", "two")]
    fleet(
        environment,
        tmp_path,
        *("one", "two"),
        vm_fleet_defaults={
            "memory": "128MiB",
            "virt_type": "qemu",
            "disks": [{"image": IMAGE}],
            "networks": [{"network": "default"}],
            "wait_for": "ip",
        },
        vm_fleet_state="running",
    )
    book = "hostler.fleet.rolling_restart"
    with pytest.raises(AssertionError, match="Say which VMs"):
        run(environment, book)
    labels = {"fleet": PREFIX + "shop"}
    done = run({**environment, "LIBVIRT_DEFAULT_URI": URI}, book, labels=labels)
    groups = done["Restart so many at a time, and wait until they are back"]["results"]
    assert [[vm["name"] for vm in group["vms"]] for group in groups] == [[name] for name in names]
    assert all(vm["network"]["ip_address"] for group in groups for vm in group["vms"])
