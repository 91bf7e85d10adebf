# SPDX-License-Identifier: Apache-2.0
"""Launches: Hyperstack is the one to test with, its VMs are servers of the real Nova."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rigs.hyperstack.contract import hold
from rigs.openstack import launching
from rigs.openstack.faults import Faults, Rule
from rigs.openstack.launching import (
    ENVIRONMENT,
    FIREWALL,
    HOST,
    IMAGE_NAME,
    NETWORK,
    POOL,
    SECRET,
    Bridge,
    key_of,
)

from hostler import Fleet
from hostler.errors import HostlerError
from hostler.gpu import lock
from hostler.models.launch import LaunchResult
from hostler.openstack import ports
from hostler.testing.hyperstack import FakeHyperstack

pytestmark = pytest.mark.usefixtures("changed")

PORT = f"{HOST}-{NETWORK}-port"
TASK: dict[str, Any] = {"hostname": HOST, "image": IMAGE_NAME, "user_data": "#cloud-config\n"}
RUNPOD = {"api_key": SECRET, "installer_url": "https://example.com/install"}


@pytest.fixture
def fake() -> Iterator[FakeHyperstack]:
    with FakeHyperstack() as fake:
        launching.furnish(fake)
        yield fake
    hold(fake.calls)


@pytest.fixture
def bridge(fake: FakeHyperstack) -> Bridge:
    return Bridge(fake)


@pytest.fixture
def launcher(fake: FakeHyperstack, bridge: Bridge, environment: None) -> Iterator[Fleet]:  # noqa: ARG001
    """A fleet with Hyperstack, and the host in the pool of launches."""
    with Fleet(launching.config(fake), cloud="box") as fleet:
        (moved,) = fleet.gpu.migrations.run([{"host": HOST, "target": POOL}])
        assert moved.error is None
        yield fleet


def launch(fleet: Fleet, **more: Any) -> LaunchResult:
    (result,) = fleet.launches.run([{**TASK, **more}])
    return result


def nothing_is_left(fleet: Fleet, fake: FakeHyperstack, bridge: Bridge) -> None:
    """No VM, no server, no port, no lock; somebody else's firewall as it was."""
    assert fake.vm(HOST) is None
    gone = [s for s in bridge.servers(HOST) if s["OS-EXT-STS:task_state"] != "deleting"]
    assert gone == []
    assert fleet.openstack_cloud().network.ports(name=PORT) == []
    assert lock.locks(fleet.openstack_cloud().compute.aggregates(), HOST) == []
    assert fake.attached(FIREWALL) == ["somebody-else"]


def all_is_there(fleet: Fleet, fake: FakeHyperstack, bridge: Bridge) -> None:
    """One VM, on its host, connected, guarded; no lock."""
    (server,) = bridge.servers(HOST)
    assert server["OS-EXT-SRV-ATTR:host"] == HOST
    (port,) = fleet.openstack_cloud().network.ports(name=PORT)
    assert port.server_id == server["id"]
    assert sorted(fake.attached(FIREWALL)) == [HOST, "somebody-else"]
    assert [vm["name"] for vm in fake.vms].count(HOST) == 1
    assert lock.locks(fleet.openstack_cloud().compute.aggregates(), HOST) == []


def test_a_launch(launcher: Fleet, fake: FakeHyperstack, bridge: Bridge) -> None:
    plan = launcher.launches.plan(TASK)
    (said,) = launcher.launches.run([TASK], check=True)
    nothing_is_left(launcher, fake, bridge)
    result = launch(launcher)
    assert result.error is None
    assert (result.changed, said.changed) == (True, True)
    assert result.after == said.after == plan.after
    all_is_there(launcher, fake, bridge)
    assert (result.hostname, result.status, result.flavor) == (HOST, "ACTIVE", "n3-L40x8")
    assert (result.network_setup, result.firewall_configured) == (True, True)
    assert (result.placed_on, result.image_name) == (HOST, IMAGE_NAME)
    vm = fake.vm(HOST)
    assert vm is not None
    assert result.vm_id == vm["id"]
    assert result.estimated_resources is not None
    assert result.estimated_resources.price_per_hour == 8.0
    again = launch(launcher)
    assert (again.error, again.changed, again.vm_id) == (None, False, vm["id"])
    assert fake.count("POST", "/core/virtual-machines") == 1


def test_the_preview_shows_the_request_and_no_secret(launcher: Fleet) -> None:
    (said,) = launcher.launches.run([{**TASK, "user_data": None, "runpod": RUNPOD}], check=True)
    assert said.command is not None
    assert said.command == said.masked_command
    assert said.command.startswith("curl -X POST ")
    assert "-H 'api_key: ****'" in said.command
    assert "sha256:" in said.command
    assert SECRET not in said.model_dump_json()


def test_what_a_vm_lacks_is_made_up_for(
    launcher: Fleet, fake: FakeHyperstack, bridge: Bridge
) -> None:
    launch(launcher)
    vm, firewall = fake.vm(HOST), fake.named(fake.firewalls, FIREWALL)
    assert vm is not None
    firewall["attachments"] = [a for a in firewall["attachments"] if a["vm"]["name"] != HOST]
    (server,) = bridge.servers(HOST)
    cloud = launcher.openstack_cloud()
    (port,) = cloud.network.ports(name=PORT)
    ports.detach(cloud, server["id"], port, 30)
    result = launch(launcher)
    assert result.error is None
    assert result.changed
    all_is_there(launcher, fake, bridge)


def test_undo_takes_all_of_it_back(launcher: Fleet, fake: FakeHyperstack, bridge: Bridge) -> None:
    result = launch(launcher)
    assert result.plan is not None
    launcher.runner.undo(result.plan.id)
    nothing_is_left(launcher, fake, bridge)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"hostname": "gpu-host-003"}, ["no aggregate of the pool runpod", "hostler gpu move"]),
        ({"hostname": "GPU-host-002"}, ["there is no such host", "Did you mean 'gpu-host-002'?"]),
        ({"image": "Windows"}, ["has no image 'Windows'"]),
        ({"key": "nobody's"}, ['there is no key "nobody\'s"']),
        ({"environment": "other"}, ["there is no environment 'other'"]),
        ({"flavor": "n3-H100x8"}, ["has no flavor 'n3-H100x8'", "n3-L40x8"]),
        ({"firewall": "wall"}, ["has no firewall 'wall'", FIREWALL]),
        ({"network": "Storage-Network"}, ["Did you mean 'storage-network'?"]),
        ({"region": "MARS-1"}, ["launches.regions has no 'MARS-1'"]),
        ({"name": "somebody-else"}, ["there is a VM 'somebody-else' already"]),
        (
            {"flavor": "n3-L40x1", "strict_placement": True},
            ["can land on other free hosts too: gpu-host-001"],
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_input_makes_nothing(
    launcher: Fleet, fake: FakeHyperstack, bridge: Bridge, more: dict[str, Any], words: list[str]
) -> None:
    try:
        error = launch(launcher, **more).error or ""
    except HostlerError as raised:
        error = str(raised)
    for word in words:
        assert word in error
    nothing_is_left(launcher, fake, bridge)
    assert fake.count("POST", "/core/virtual-machines") == 0


def test_a_host_with_a_server_is_not_free(
    launcher: Fleet, fake: FakeHyperstack, bridge: Bridge
) -> None:
    launch(launcher)
    error = launch(launcher, name="another").error
    assert error is not None
    assert f"it is not free: {HOST}" in error
    all_is_there(launcher, fake, bridge)


@pytest.mark.fault
@pytest.mark.parametrize("on_failure", ["delete", "keep"])
def test_a_misplaced_vm_goes(
    launcher: Fleet, fake: FakeHyperstack, bridge: Bridge, on_failure: str
) -> None:
    bridge.host = "gpu-host-001"
    error = launch(launcher, flavor="n3-L40x1", on_failure=on_failure).error
    assert error is not None
    assert "it landed on host gpu-host-001, not on gpu-host-002" in error
    nothing_is_left(launcher, fake, bridge)


@pytest.mark.fault
def test_a_misplaced_vm_may_be_kept(launcher: Fleet, fake: FakeHyperstack, bridge: Bridge) -> None:
    bridge.host = "gpu-host-001"
    result = launch(launcher, flavor="n3-L40x1", on_misplaced="keep")
    assert (result.error, result.placed_on) == (None, "gpu-host-001")
    assert sorted(fake.attached(FIREWALL)) == [HOST, "somebody-else"]
    assert len(bridge.servers(HOST)) == 1


@pytest.mark.fault
def test_a_vm_that_goes_into_error_goes(
    launcher: Fleet, fake: FakeHyperstack, bridge: Bridge
) -> None:
    fake.hooks.status_of = lambda _: "ERROR"
    error = launch(launcher).error
    assert error is not None
    assert "it went into ERROR" in error
    nothing_is_left(launcher, fake, bridge)


@pytest.mark.fault
def test_a_vm_is_kept_when_what_follows_fails(
    launcher: Fleet, fake: FakeHyperstack, bridge: Bridge
) -> None:
    fake.fail("POST", "/core/virtual-machines/*/attach-firewalls", 400, times=99)
    result = launch(launcher, on_failure="keep")
    assert result.error is not None
    assert "Kept: create VM" in result.error
    assert result.vm_id is not None
    assert launcher.openstack_cloud().network.ports(name=PORT) == []
    assert len(bridge.servers(HOST)) == 1
    assert fake.attached(FIREWALL) == ["somebody-else"]


@pytest.mark.fault
@pytest.mark.parametrize("status", [500, 429, 400, 403])
@pytest.mark.parametrize("acts", [False, True], ids=["refused", "lost"])
def test_the_creation_fails(
    launcher: Fleet, fake: FakeHyperstack, bridge: Bridge, status: int, acts: bool
) -> None:
    if acts:
        fake.lose("POST", "/core/virtual-machines", acts=True)
    else:
        fake.fail("POST", "/core/virtual-machines", status)
    result = launch(launcher)
    if acts:  # it was made, and found by its name
        assert result.error is None
        all_is_there(launcher, fake, bridge)
    else:
        assert result.error is not None
        nothing_is_left(launcher, fake, bridge)
    assert fake.count("POST", "/core/virtual-machines") == 1


@pytest.mark.fault
def test_the_key_is_revoked_midway(launcher: Fleet, fake: FakeHyperstack, bridge: Bridge) -> None:
    key = fake.api_key
    fake.before(fake.revoke, "POST", "/core/virtual-machines/*/attach-firewalls")
    result = launch(launcher)
    assert result.error is not None
    assert "the API key is not accepted" in result.error
    assert "See 'hostler plan show" in result.error
    fake.api_key = key
    assert result.plan is not None
    launcher.runner.undo(result.plan.id)
    nothing_is_left(launcher, fake, bridge)


@pytest.mark.fault
@pytest.mark.parametrize("action", ["refuse", "lose", "answer"])
@pytest.mark.parametrize(
    "rule",
    [
        Rule("nova", "POST", r"/os-aggregates/\d+/action", body="hostler:lock"),
        Rule("nova", "GET", r"/servers/detail\?all_tenants=1&name="),
        Rule("neutron", "POST", r"/ports$"),
        Rule("nova", "POST", r"/os-interface$"),
    ],
    ids=["lock", "look", "port", "attach"],
)
def test_openstack_fails(
    fake: FakeHyperstack, bridge: Bridge, launcher: Fleet, faults: Faults, rule: Rule, action: Any
) -> None:
    with Fleet(launching.config(fake), cloud="box-proxied") as fleet:
        faults.set(replace(rule, action=action, status=500))
        result = launch(fleet)
        assert sum(faults.fired()) == 1
    if result.error is None:
        all_is_there(launcher, fake, bridge)
    else:
        assert result.changed is False
        nothing_is_left(launcher, fake, bridge)


@pytest.mark.fault
def test_two_launches_for_one_host(launcher: Fleet, fake: FakeHyperstack, bridge: Bridge) -> None:
    results: list[LaunchResult] = []

    def one() -> None:
        with Fleet(launching.config(fake), cloud="box") as fleet:
            results.append(launch(fleet))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert len(results) == 2
    assert sum(result.error is None and result.changed for result in results) <= 1
    assert len([vm for vm in fake.vms if vm["name"] == HOST]) <= 1
    if fake.vm(HOST) is None:  # each gave way to the other
        nothing_is_left(launcher, fake, bridge)
    else:
        all_is_there(launcher, fake, bridge)


KILLED = """
import os, sys
from rigs.openstack import layout  # noqa: F401
from hostler import Fleet
from hostler.config import FleetConfig
from hostler.plan import work

wanted, config = sys.argv[1], FleetConfig.model_validate_json(sys.argv[2])
apply = work.Work._apply

def dying(self, step, report):
    if step.kind == wanted:
        os.kill(os.getpid(), 9)
    apply(self, step, report)

work.Work._apply = dying
with Fleet(config, cloud="box") as fleet:
    fleet.launches.run([{"hostname": sys.argv[3], "image": sys.argv[4]}])
"""


@pytest.mark.fault
@pytest.mark.parametrize("then", ["resume", "undo"])
@pytest.mark.parametrize(
    "kind",
    [
        "hyperstack.vm.create",
        "hyperstack.vm.wait",
        "launch.check",
        "launch.port.create",
        "launch.port.attach",
        "hyperstack.vm.firewalls",
        "gpu.unlock",
    ],
)
def test_killed_between_steps(
    launcher: Fleet, fake: FakeHyperstack, bridge: Bridge, kind: str, then: str
) -> None:
    config = launching.config(fake)
    text = config.model_dump_json(exclude={"hyperstack": {"api_key"}})
    environment = {
        **os.environ,
        "HYPERSTACK_API_KEY": key_of(fake),
        "PYTHONPATH": str(Path(__file__).resolve().parents[3] / "tests"),
    }
    died = subprocess.run(
        [sys.executable, "-c", KILLED, kind, text, HOST, IMAGE_NAME],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    (left,) = launcher.journal.list(unfinished=True)
    if then == "resume":
        launcher.runner.resume(left.plan.id)
        all_is_there(launcher, fake, bridge)
        assert fake.count("POST", "/core/virtual-machines") == 1
    else:
        launcher.runner.undo(left.plan.id)
        nothing_is_left(launcher, fake, bridge)


def test_no_secret_anywhere(launcher: Fleet, fake: FakeHyperstack, tmp_path: Path) -> None:
    fake.fail("POST", "/core/virtual-machines/*/attach-firewalls", 400, times=99)
    result = launch(launcher, user_data=None, runpod=RUNPOD)
    assert result.error is not None
    launcher.journal.log()
    texts = [result.model_dump_json().encode(), *(f.read_bytes() for f in tmp_path.iterdir())]
    for text in texts:
        assert SECRET.encode() not in text
        assert key_of(fake).encode() not in text
    assert ENVIRONMENT.encode() in b"".join(texts)  # it is the right journal
