# SPDX-License-Identifier: Apache-2.0
"""hostler gpu: what a person reads in 80 columns, what a program reads, and errors as sentences."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from rigs.openstack.api import Cloud
from rigs.openstack.layout import CLOUDS
from typer.testing import CliRunner

from hostler import Fleet
from hostler.cli.app import app

Run = Callable[..., Any]


@pytest.fixture
def run(environment: None, monkeypatch: pytest.MonkeyPatch) -> Run:  # noqa: ARG001 - it comes first
    """Run the command in this process."""
    monkeypatch.setenv("COLUMNS", "80")

    def invoke(*args: str, cloud: str = "box", code: int = 0) -> Any:
        result = CliRunner().invoke(app, ["gpu", *args, "--cloud", cloud])
        assert result.exit_code == code, result.output + repr(result.exception)
        if "--json" not in args:
            assert max(map(len, result.stdout.splitlines()), default=0) <= 80
        return result

    return invoke


def words(result: Any) -> list[list[str]]:
    return [line.split() for line in result.stdout.splitlines()]


def test_types(run: Run) -> None:
    found = run("types")
    assert ["A100", "ondemand", "A100-n3,", "A100-n3-NVLink"] in words(found)
    assert ["spot", "A100-n3-NVLink-spot"] in words(found)
    assert "the names say no pool or type: misc-n2" in found.stderr


def test_overview(run: Run) -> None:
    lines = words(run("overview"))
    assert lines[0] == ["TYPE", "POOL", "HOSTS", "VMS", "GPUS", "USE"]
    assert ["L40", "ondemand", "2", "2", "5/16", "███░░░░░░░", "31%"] in lines
    assert ["spot", "1", "1", "8/8", "██████████", "100%"] in lines
    assert ["runpod", "0", "0", "0/0"] in lines
    assert ["all", "3", "3", "13/24", "█████░░░░░", "54%"] in lines


def test_overview_of_a_type_has_its_hosts(run: Run) -> None:
    found = run("overview", "L40")
    assert "A100" not in found.stdout
    expected = ["gpu-host-001", "ondemand", "active", "2", "5/8", "██████░░░░", "62%"]
    assert expected in words(found)


def test_pool_contracts_hosts_and_vms(run: Run) -> None:
    pool = words(run("pool", "A100", "ondemand"))
    assert ["A100-n3-NVLink", "1", "0/8", "░░░░░░░░░░", "0%"] in pool
    contract = words(run("contracts", "H100-SXM5"))
    assert ["Contract-Acme-8xH100-SXM5", "1", "8/8", "██████████", "100%"] in contract
    assert run("contracts", "L40").stdout == "L40 has no contracts.\n"
    hosts = words(run("hosts", "--type", "L40", "--pool", "spot"))
    assert [line[:4] for line in hosts[1:]] == [["gpu-host-003", "L40", "spot", "active"]]
    assert run("hosts", "--status", "down").stdout == "No GPU hosts.\n"
    vms = words(run("host-vms", "gpu-host-001"))
    assert [line[:5] for line in vms[1:]] == [
        ["a-train-1", "ACTIVE", "n3-L40x1", "1", "tenant-a"],
        ["a-train-2", "ACTIVE", "n3-L40x4", "4", "tenant-a"],
    ]
    assert run("host-vms", "gpu-host-002").stdout == "gpu-host-002 has no VMs.\n"


def test_target(run: Run) -> None:
    found = words(run("target", "gpu-host-002"))
    assert ["best", "L40-n3-spot"] in found
    assert found[-1] == ["L40-n3-runpod", "yes", "no", "other", "hosts"]
    asked = run("target", "gpu-host-004", "--pool", "spot").stdout
    assert "host has no NVLink" in asked.replace("\n        ", " ")


def test_programs_read_what_the_sdk_gives(run: Run, fleet: Fleet) -> None:
    def read(*args: str) -> Any:
        return json.loads(run(*args, "--json").stdout)

    gpu, world = fleet.gpu, fleet.gpu.observe(flavors=True)
    assert read("types") == [one.model_dump(mode="json") for one in gpu.types(world)]
    assert read("overview", "L40") == gpu.overview("L40", world).model_dump(mode="json")
    assert [one["gpu_type"] for one in read("overview")] == [
        "A100",
        "H100-SXM5",
        "L40",
        "RTX-A4000",
    ]
    assert read("pool", "L40", "spot") == gpu.pool("L40", "spot", world).model_dump(mode="json")
    assert [one["name"] for one in read("contracts", "H100-SXM5")] == ["Contract-Acme-8xH100-SXM5"]
    assert read("hosts") == [one.model_dump(mode="json") for one in gpu.hosts(world)]
    vms = gpu.host_vms("gpu-host-004", world)
    assert read("host-vms", "gpu-host-004") == vms.model_dump(mode="json")
    advice = gpu.target("gpu-host-002", world=world)
    assert read("target", "gpu-host-002") == advice.model_dump(mode="json")


BAD = [
    (["overview", "l40"], 1, "GPU type 'l40': no aggregate has this GPU type. Did you mean 'L40'?"),
    (
        ["pool", "L40", "Spot"],
        2,
        "there is no pool 'Spot'. Pools: ondemand, spot, runpod, contract.",
    ),
    (["pool", "A100", "runpod"], 1, "GPU type 'A100' has no aggregate of the pool runpod."),
    (
        ["contracts", "B300"],
        1,
        "GPU type 'B300': no aggregate has this GPU type. Known types: A100,",
    ),
    (["hosts", "--status", "up"], 2, "there is no status 'up'. Statuses: active, disabled, down,"),
    (
        ["host-vms", "GPU-host-001"],
        1,
        "host 'GPU-host-001': there is no such host. Did you mean 'gpu-host-001'?",
    ),
    (["target", "gpu-host-01"], 1, "host 'gpu-host-01': there is no such host. Did you mean"),
    (
        ["target", "gpu-host-001", "--type", "A100"],
        1,
        "host 'gpu-host-001': its GPUs are L40, not A100. Leave gpu_type out, or name the right",
    ),
    (
        ["target", "gpu-host-005", "--variant", "nvlink"],
        1,
        "variant 'nvlink': no aggregate has this variant. Did you mean 'NVLink'?",
    ),
]


def sentence(result: Any) -> str:
    """Return the one line that an error is."""
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return str(line.removeprefix("Error: "))


@pytest.mark.parametrize(("args", "code", "says"), BAD)
def test_bad_names_are_one_sentence(run: Run, args: list[str], code: int, says: str) -> None:
    assert sentence(run(*args, code=code)).startswith(says)
    error = json.loads(run(*args, "--json", code=code).stdout)["error"]
    assert f"{error['message']}. {error['hint']}".strip().startswith(says.rstrip("."))


ALL = [["types"], ["overview"], ["hosts"], ["host-vms", "gpu-host-001"], ["target", "gpu-host-001"]]


@pytest.mark.parametrize("args", ALL)
def test_without_rights(run: Run, args: list[str]) -> None:
    said = sentence(run(*args, cloud="box-reader", code=1))
    assert said.startswith("Nova of cloud 'box-reader': we may not do that: Policy doesn't allow")
    assert said.endswith("It needs the role admin, unless the cloud's policy says otherwise.")


@pytest.fixture
def clouds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write a clouds.yaml of our own: the rig's, with a change."""

    def write(name: str, **change: Any) -> None:
        cloud = yaml.safe_load(CLOUDS.read_text())["clouds"]["box"]
        cloud["auth"] |= change
        path = tmp_path / "clouds.yaml"
        path.write_text(yaml.safe_dump({"clouds": {name: cloud}}))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))

    return write


def test_keystone_is_down(run: Run, clouds: Callable[..., None]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    clouds("gone", auth_url=f"http://127.0.0.1:{port}/v3")
    said = sentence(run("overview", cloud="gone", code=1))
    assert said.startswith("Keystone of cloud 'gone': can't be reached: connection refused.")


def test_a_wrong_password(run: Run, clouds: Callable[..., None]) -> None:
    clouds("wrong", password="geheim42")
    said = sentence(run("overview", cloud="wrong", code=1))
    assert said.startswith("Keystone of cloud 'wrong': the cloud does not let us in")
    assert "geheim42" not in said


def test_no_such_cloud(run: Run) -> None:
    said = sentence(run("overview", cloud="bocks", code=2))
    assert said.startswith("cloud 'bocks': no cloud to connect to: Cloud bocks was not found.")
    assert said.endswith("Set OS_CLOUD, or name a cloud of clouds.yaml.")


@pytest.mark.usefixtures("changed")
def test_hosts_in_several_pools_and_in_none_are_seen(run: Run) -> None:
    cloud = Cloud()
    found = {a["name"]: a["id"] for a in cloud.get("nova", "/v2.1/os-aggregates")["aggregates"]}
    changes = {
        "L40-n3-spot": {"add_host": {"host": "gpu-host-002"}},
        "A100-n3-NVLink": {"remove_host": {"host": "gpu-host-005"}},
    }
    for name, action in changes.items():
        cloud.post("nova", f"/v2.1/os-aggregates/{found[name]}/action", action)
    hosts = words(run("hosts"))
    assert ["gpu-host-002", "L40", "ondemand,", "spot", "active"] in [line[:5] for line in hosts]
    assert ["gpu-host-005", "A100", "none", "active"] in [line[:4] for line in hosts]
    said = run("overview").stderr
    assert "These GPU hosts are in no pool: gpu-host-005" in said
