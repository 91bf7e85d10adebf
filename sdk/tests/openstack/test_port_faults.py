# SPDX-License-Identifier: Apache-2.0
"""A server's port where something fails: each call in turn, and the program killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from rigs.openstack.api import Cloud
from rigs.openstack.faults import Faults, Request, Rule
from rigs.openstack.layout import BOX, CLOUDS
from rigs.openstack.porting import (
    NAME,
    NETWORK,
    SERVER,
    TASK,
    Seen,
    cloud,
    done,
    id_of,
    impatient,
    seen,
    storage,
)

from hostler import Fleet
from hostler.config import FleetConfig, OpenstackConfig
from hostler.models.network import PortResult

__all__ = ["cloud", "impatient", "seen", "storage"]

pytestmark = pytest.mark.fault


@pytest.fixture(scope="module")
def through_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One fleet for all faults, so that it logs in once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(CLOUDS))
        store = f"sqlite:///{tmp_path_factory.mktemp('ports')}/journal.db"
        with Fleet(FleetConfig(store=store), cloud="box-proxied") as fleet:
            fleet.openstack.networks()
            fleet.openstack.servers()
            yield fleet


READS = [  # of an attach, in turn
    ("nova", "/servers/detail", 1),
    ("neutron", "/subnets", 1),
    ("neutron", "/networks", 1),
    ("neutron", "/ports", 1),  # while planning
    ("neutron", "/ports", 2),  # is it there already?
    ("neutron", "/ports", 3),  # has somebody else made one meanwhile?
    ("neutron", "/ports", 4),  # which one to attach
    ("neutron", "/ports", 5),  # whose is it?
    ("neutron", "/ports", 6),  # is it attached?
    ("neutron", "/ports", 7),  # as it is now
]
BUSY = '{"conflictingRequest": {"message": "Cannot while it is in task_state rebooting"}}'
WAYS: dict[str, dict[str, Any]] = {
    "refuse": {"action": "refuse"},
    "lose": {"action": "lose"},
    "busy": {"action": "answer", "status": 409, "text": BUSY},
    "500": {"action": "answer", "status": 500, "text": "{}"},
    "503": {"action": "answer", "status": 503, "text": "{}"},
    "slow": {"action": "pass", "delay": 1.0},
}


def calls(requests: list[Request]) -> list[tuple[str, str]]:
    """What was asked of whom, without queries and ids."""
    return [
        (request.method, request.path.partition("?")[0].rpartition("/")[2]) for request in requests
    ]


def test_these_are_all_calls(through_proxy: Fleet, faults: Faults) -> None:
    faults.clear()
    done(through_proxy.openstack.run_port(TASK))
    asked = calls(faults.requests())
    reads = [path.rpartition("/")[2] for _, path, _ in READS]
    assert [path for method, path in asked if method == "GET"] == reads
    writes = [(method, path) for method, path in asked if method != "GET"]
    assert writes == [("POST", "ports"), ("POST", "os-interface")]


def honest(fleet: Fleet, result: PortResult, seen: Seen) -> None:
    """What is reported is what is there: attached, or nothing of ours; a second run attaches."""
    ports = seen()
    if result.error is None:
        assert [bool(port["device_id"]) for port in ports] == [True]
    elif result.changed:  # done, and only the last look failed
        assert [bool(port["device_id"]) for port in ports] == [True]
        assert result.port is None
    else:
        assert ports == []
    if result.error is not None:
        done(fleet.openstack.run_port(TASK))
        assert [bool(port["device_id"]) for port in seen()] == [True]


@pytest.mark.parametrize(
    ("read", "way"), [(read, ("503", "refuse")[n % 2]) for n, read in enumerate(READS)]
)
def test_a_read_fails(
    through_proxy: Fleet, faults: Faults, seen: Seen, read: tuple[str, str, int], way: str
) -> None:
    service, path, nth = read
    faults.set(Rule(service, "GET", rf"{path}(\?|$)", nth=nth, **WAYS[way]))
    result = through_proxy.openstack.run_port(TASK)
    assert faults.fired() == [1]
    honest(through_proxy, result, seen)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", ["/ports", "/os-interface"])
def test_a_write_fails(
    through_proxy: Fleet, faults: Faults, seen: Seen, path: str, way: str
) -> None:
    service = "neutron" if path == "/ports" else "nova"
    faults.set(Rule(service, "POST", f"{path}$", **WAYS[way]))
    result = through_proxy.openstack.run_port({**TASK, "timeout": 20})
    assert faults.fired() == [1]
    lost = path == "/ports" and way in ("refuse", "busy", "500", "503")
    assert (result.error is not None) == lost, result.error
    honest(through_proxy, result, seen)


@pytest.mark.parametrize("way", ["busy", "500"])
def test_it_never_attaches(through_proxy: Fleet, faults: Faults, seen: Seen, way: str) -> None:
    faults.set(Rule("nova", "POST", "/os-interface$", times=0, **WAYS[way]))
    result = through_proxy.openstack.run_port({**TASK, "timeout": 1})
    assert 2 <= faults.fired()[0] <= 8
    assert (result.error_code, result.changed, seen()) == ("plan_failed", False, [])
    assert f"Undone again: make port {NAME}" in (result.error or "")


def test_a_port_that_neutron_makes_too_late(
    through_proxy: Fleet, faults: Faults, seen: Seen, tmp_path: Path
) -> None:
    hold = tmp_path / "hold"
    faults.set(Rule("neutron", "POST", "/ports$", hold=str(hold)))
    config = through_proxy.config.model_copy(update={"openstack": OpenstackConfig(timeout=2)})
    with Fleet(config, cloud="box-proxied") as hasty:
        result = hasty.openstack.run_port(TASK)
    assert (result.error_code, result.changed, seen()) == ("plan_failed", False, [])
    assert "If Neutron makes the port yet, no server has it" in (result.error or "")
    hold.unlink()
    deadline = time.monotonic() + 20
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    plan = through_proxy.openstack.plan_port(TASK)
    assert plan.summary.endswith("(the port was there, and no server had it)")
    done(through_proxy.openstack.run_port({**TASK, "state": "absent"}))
    assert seen() == []


def test_what_can_not_be_taken_back_is_said(
    through_proxy: Fleet, faults: Faults, seen: Seen
) -> None:
    faults.set(
        Rule("nova", "POST", "/os-interface$", times=0, **{**WAYS["busy"], "text": "{}"}),
        Rule("neutron", "DELETE", "/ports/", times=0, **WAYS["refuse"]),
    )
    result = through_proxy.openstack.run_port(TASK)
    (port,) = seen()
    assert (result.changed, port["device_id"]) == (True, "")
    assert f"Still in effect: make port {NAME}" in (result.error or "")
    assert result.port is not None
    assert result.port.id == port["id"]
    faults.clear()
    assert result.plan is not None
    through_proxy.runner.undo(result.plan.id)
    assert seen() == []


@pytest.mark.parametrize(
    ("path", "way"),
    [
        *(("/ports/", way) for way in ("refuse", "lose")),
        *(("/os-interface/", way) for way in ("refuse", "lose", "busy", "503")),
    ],
)
def test_a_removal_fails(
    through_proxy: Fleet, faults: Faults, seen: Seen, path: str, way: str
) -> None:
    done(through_proxy.openstack.run_port(TASK))
    service = "neutron" if path == "/ports/" else "nova"
    faults.set(Rule(service, "DELETE", path, **WAYS[way]))
    gone = {**TASK, "state": "absent", "timeout": 5}
    result = through_proxy.openstack.run_port(gone)
    assert faults.fired() == [1]
    if result.error is None:
        assert seen() == []
    else:
        assert len(seen()) == 1
        assert result.changed == ("Still in effect" in result.error)
    done(through_proxy.openstack.run_port(gone))
    assert seen() == []


def test_a_host_that_can_not_bind(fleet: Fleet, seen: Seen) -> None:
    unbindable = BOX / "unbindable"
    unbindable.write_text("gpu-host-001\n")
    try:
        result = fleet.openstack.run_port({**TASK, "timeout": 1})
    finally:
        unbindable.unlink()
    assert (result.error_code, result.changed) == ("plan_failed", False)
    assert seen() == []


def test_two_make_it_at_once(
    through_proxy: Fleet, fleet: Fleet, faults: Faults, seen: Seen, tmp_path: Path
) -> None:
    hold = tmp_path / "hold"
    faults.set(Rule("neutron", "POST", "/ports$", hold=str(hold)))
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(through_proxy.openstack.run_port, TASK)
        while not hold.exists():
            assert not slow.done(), slow.result()
            time.sleep(0.02)
        quick = done(fleet.openstack.run_port(TASK))
        hold.unlink()
        other = done(slow.result())
    (port,) = seen()
    assert quick.port is not None
    assert other.port is not None
    assert {port["id"]} == {quick.port.id, other.port.id}
    assert port["device_id"]


@pytest.mark.usefixtures("changed")
def test_a_state_that_does_not_pass_is_not_waited_for(
    fleet: Fleet, cloud: Cloud, seen: Seen
) -> None:
    path = f"/v2.1/servers/{id_of(cloud, SERVER)}/action"
    cloud.post("nova", path, {"os-resetState": {"state": "error"}})
    began = time.monotonic()
    result = fleet.openstack.run_port(TASK)
    assert (result.error_code, seen()) == ("plan_failed", [])
    assert "vm_state error" in (result.error or "")
    assert time.monotonic() - began < 20


KILLED = {  # where, and which request of those that match
    "making": Rule("neutron", "POST", "/ports$"),
    "between": Rule("neutron", "GET", r"/ports\?", nth=6),
    "attaching": Rule("nova", "POST", "/os-interface$"),
    "waiting": Rule("neutron", "GET", r"/ports\?", nth=8),
    "detaching": Rule("nova", "DELETE", "/os-interface/"),
    "deleting": Rule("neutron", "DELETE", "/ports/"),
}


@pytest.fixture
def killed(faults: Faults, tmp_path: Path) -> Callable[[str], None]:
    """Have the command killed at a request, which then takes effect all the same."""

    def kill(where: str) -> None:
        hold = tmp_path / "hold"
        faults.set(Rule(**{**vars(KILLED[where]), "hold": str(hold)}))
        verb = "detach" if where in ("detaching", "deleting") else "attach"
        words = ["--cloud", "box-proxied", "openstack", "port", verb, SERVER, NETWORK, "--yes"]
        command = [str(Path(sys.executable).with_name("hostler")), *words]
        with subprocess.Popen(command, env={**os.environ}, stdout=subprocess.PIPE) as program:
            deadline = time.monotonic() + 30
            while not hold.exists():
                assert program.poll() is None, program.stdout and program.stdout.read()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            program.kill()
        assert program.returncode == -signal.SIGKILL
        hold.unlink()
        while faults.requests()[-1].method != KILLED[where].method:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    return kill


@pytest.mark.parametrize(
    ("where", "then"),
    [
        ("making", "undo"),
        ("between", "resume"),
        ("attaching", "resume"),
        ("attaching", "undo"),
        ("waiting", "undo"),
    ],
)
def test_killed_while_attaching(
    fleet: Fleet, seen: Seen, killed: Callable[[str], None], where: str, then: str
) -> None:
    killed(where)
    assert len(seen()) <= 1
    (left,) = fleet.journal.list(unfinished=True)
    getattr(fleet.runner, then)(left.plan.id)
    attached = [bool(port["device_id"]) for port in seen()]
    assert attached == ([True] if then == "resume" else [])
    assert fleet.journal.list(unfinished=True) == []
    assert done(fleet.openstack.run_port(TASK)).changed == (then == "undo")
    assert len(seen()) == 1


@pytest.mark.parametrize("where", ["detaching", "deleting"])
def test_killed_while_detaching(
    fleet: Fleet, seen: Seen, killed: Callable[[str], None], where: str
) -> None:
    done(fleet.openstack.run_port(TASK))
    killed(where)
    (left,) = fleet.journal.list(unfinished=True)
    fleet.runner.resume(left.plan.id)
    assert seen() == []
    assert not done(fleet.openstack.run_port({**TASK, "state": "absent"})).changed
