# SPDX-License-Identifier: Apache-2.0
"""hostler host: what a person reads in 80 columns, what a program reads, errors as sentences."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hostler.cli.app import app

from .nodes import gpu, node, vm

pytestmark = pytest.mark.slow

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in this process."""
    monkeypatch.setenv("HOSTLER_STORE", f"sqlite:///{tmp_path}/pool.db")
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("HOSTLER_CONFIG", "LIBVIRT_DEFAULT_URI", "OS_CLOUD", "OS_AUTH_URL"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*args: str, code: int = 0) -> Any:
        result = CliRunner().invoke(app, [*args])
        assert result.exit_code == code, result.output + repr(result.exception)
        lines = [line for line in result.stdout.splitlines() if "test://" not in line]
        assert max(map(len, lines), default=0) <= 80 or "--json" in args
        return result

    return invoke


@pytest.fixture
def pool(run: Run, tmp_path: Path) -> Run:
    """Two hosts: ``kvm1`` with a VM that has a GPU, and ``down``, which went away."""
    one = node(tmp_path / "kvm1.xml", vm("train", labels={}, gpu=3), devices=(gpu(3),))
    down = node(tmp_path / "down.xml")
    run("host", "set", "kvm1", "--uri", one, "--label", "rack=r1", "--cpu-overcommit", "2")
    run("host", "set", "down", "--uri", down)
    run("host", "info")
    (tmp_path / "down.xml").unlink()
    return run


def words(result: Any) -> list[list[str]]:
    return [line.split() for line in result.stdout.splitlines()]


def test_life(run: Run, tmp_path: Path) -> None:
    uri = node(tmp_path / "x.xml")
    assert "No hosts. Register one" in run("host", "list").stdout
    predicted = run("host", "set", "x", "--uri", uri, "--check", "--diff")
    assert "add host x" in predicted.stdout
    assert f"+uri: {uri}" in predicted.stdout
    assert "Done: add host x" in run("host", "set", "x", "--uri", uri).stdout
    assert "Nothing to do." in run("host", "set", "x", "--uri", uri).stdout
    assert "Done: change host x" in run("host", "set", "x", "--disable").stdout
    assert ["x", uri, "disabled"] in words(run("host", "list"))
    assert "Done: remove host x from the pool" in run("host", "remove", "x").stdout
    assert json.loads(run("host", "list", "--json").stdout) == []


def test_figures(pool: Run) -> None:
    found = pool("host", "info")
    assert ["kvm1", "active", "test", "1/16", "1.0/16.0", "0/100", "1", "1/1"] in words(found)
    assert ["down", "unreachable"] in words(found)
    assert "Warning: hypervisor test://" in found.stderr
    (told,) = json.loads(pool("host", "info", "kvm1", "--json").stdout)
    assert told["gpus"][0]["used_by"] == ["train"]
    assert json.loads(pool("host", "info", "--label", "rack", "--json").stdout)[0]["id"] == "kvm1"


def test_one_host(pool: Run) -> None:
    found = pool("host", "show", "kvm1")
    assert ["Labels", "rack=r1"] in words(found)
    assert "AD102GL [L40S]" in found.stdout
    assert ["lan", "nat", "virbr9"] in words(found)
    assert ["Status", "unreachable"] in words(pool("host", "show", "down"))


def test_vms(pool: Run) -> None:
    assert ["train", "running", "1", "1", "GiB"] in words(pool("host", "vms", "kvm1"))
    assert "down has no VMs." in pool("host", "vms", "down", "--stored").stdout
    assert "--stored" in pool("host", "vms", "down", code=1).stderr
    (told,) = json.loads(pool("host", "vms", "kvm1", "--stored", "--json").stdout)
    assert (told["name"], told["host_id"]) == ("train", "kvm1")
    listed = words(pool("vm", "list", "--host", "kvm1"))
    assert ["train", "kvm1", "running", "1", "1", "GiB"] in listed


def test_vms_of_all_hosts(pool: Run) -> None:
    everywhere = pool("vm", "list")
    assert ["train", "kvm1", "running", "1", "1", "GiB"] in words(everywhere)
    assert "Warning: host down can't be reached: " in everywhere.stderr
    told = json.loads(pool("vm", "list", "--json").stdout)
    assert (told["vms"][0]["host_id"], list(told["unreachable_hosts"])) == ("kvm1", ["down"])
    stopped = pool("vm", "stop", "tr*", "--check")
    assert "shut" in stopped.stdout
    assert "Warning: host down: " in stopped.stderr
    assert "on the hosts of the pool" in pool("vm", "show", "never", code=1).stderr


def test_maintenance(pool: Run) -> None:
    refused = pool("host", "drain", "down", code=1)
    assert "Error: host 'down': its VMs can't be seen" in refused.stderr
    stuck = pool("host", "drain", "kvm1", code=1)
    assert "it can't be drained. train: its host moves no VMs" in stuck.stderr
    partial = pool("host", "drain", "kvm1", "--partial", "--check", "--diff")
    assert "kvm1: in maintenance, 0 VMs moved" in partial.stdout
    assert "+maintenance: true" in partial.stdout
    assert "Warning: VM train was not moved: its host moves no VMs" in partial.stderr
    assert "nothing to do" in pool("host", "activate", "kvm1").stdout
    pool("host", "drain", "kvm1", "--partial")
    assert "maintenance" in pool("host", "list").stdout
    (told,) = json.loads(pool("host", "drain", "kvm1", "--partial", "--json").stdout)
    assert (told["changed"], told["drained"], list(told["stuck"])) == (False, False, ["train"])
    pool("host", "drain", "kvm1", "--stopped-vms", "no", code=2)
    assert "kvm1: active, 0 VMs moved" in pool("host", "activate", "kvm1").stdout


def test_sums(pool: Run) -> None:
    found = pool("host", "stats")
    assert ["Hosts", "1", "of", "2", "active"] in words(found)
    assert ["GPUs", "1/1"] in words(found)
    assert json.loads(pool("host", "stats", "--json").stdout)["total_cpu_cores"] == 8


def test_a_vm_is_placed(pool: Run, tmp_path: Path) -> None:
    (tmp_path / "new.yml").write_text("name: new\nhost: auto\n")
    found = pool("vm", "apply", str(tmp_path / "new.yml"), "--check")
    assert "(host kvm1: the fewest VMs: has 1 VM, " in found.stdout.replace("\n", " ")
    assert "# reserve on host kvm1 for VM new: 1 CPUs, 1GiB" in found.stdout


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["host", "show", "kvm2"], 1, "host 'kvm2': there is no such host in the pool. Did you"),
        (["host", "set", "new"], 2, "it is not in the pool yet, and needs a uri"),
        (["host", "set", "new", "--uri", "foo:///x"], 2, "libvirt knows no 'foo'"),
        (["host", "remove", "kvm1"], 1, "VMs on it are managed here: train"),
        (["host", "remove", "down"], 1, "it can't be asked about its VMs"),
        (["vm", "list", "--host", "nix"], 1, "there is no such host in the pool"),
        (["vm", "list", "--host", "kvm1", "--uri", "test:///default"], 2, "both name a hypervisor"),
    ],
)
def test_errors_are_sentences(pool: Run, args: list[str], code: int, words: str) -> None:
    result = pool(*args, code=code)
    assert words in result.stderr
    assert "Traceback" not in result.output
