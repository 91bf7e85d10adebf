# SPDX-License-Identifier: Apache-2.0
"""The command as people run it: real processes, a real terminal, a real libvirt."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libvirt
import pytest

from .rig import GUEST
from .state import dump

SYSTEM = "qemu:///system"
COMMAND = (sys.executable, "-c", "from hostler.cli import main; main()")

HALTED = f"""
  xml: |
    <domain type='qemu'>
      <name>NAME</name>
      <memory unit='MiB'>16</memory>
      <vcpu>1</vcpu>
      <os>
        <type arch='x86_64' machine='q35'>hvm</type>
        <loader readonly='yes' type='rom'>{GUEST}/halt.rom</loader>
      </os>
    </domain>
"""
"""A guest that halts at once: it runs, costs nothing, and never hears that it should stop."""


class Cli:
    """Runs the command against this machine's libvirt, with a journal of the test's own."""

    def __init__(self, root: Path, prefix: str) -> None:
        self.root, self.prefix = root, f"{prefix}cli-"
        self.env = {
            **os.environ,
            "HOSTLER_STORE": f"sqlite:///{root}/hostler.db",
            "LIBVIRT_DEFAULT_URI": SYSTEM,
            "COLUMNS": "80",
            "TERM": "xterm",
        }

    def name(self, number: int) -> str:
        return f"{self.prefix}{number}"

    def run(self, *args: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        ran = subprocess.run(
            [*COMMAND, *args], env=self.env, capture_output=True, text=True, check=False
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr
        return ran

    def json(self, *args: str, code: int = 0) -> Any:
        return json.loads(self.run(*args, "--json", code=code).stdout)

    def start(self, *args: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *args],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def terminal(
        self, *args: str, answer: str, meanwhile: Callable[[], object] = int
    ) -> tuple[int, str]:
        """Run on a terminal, answer the question; the exit code and all that was shown.

        ``meanwhile`` is done after the question, and before the answer.
        """
        process, terminal = pty.fork()
        if process == 0:
            os.execve(COMMAND[0], [*COMMAND, *args], self.env)
        shown = b""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                part = os.read(terminal, 4096)
            except OSError:  # the other end is closed: the program is gone
                break
            shown += part
            if b"[y/N]" in part:
                meanwhile()
                os.write(terminal, answer.encode() + b"\n")
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), shown.decode()

    def document(self, count: int, state: str = "running") -> str:
        """Write a document of halted VMs."""
        file = self.root / "vms.yml"
        vms = "".join(
            f"- name: {self.name(n)}\n  state: {state}" + HALTED.replace("NAME", self.name(n))
            for n in range(1, count + 1)
        )
        file.write_text(f"vms:\n{vms}")
        return str(file)


@pytest.fixture
def cli(tmp_path: Path, prefix: str) -> Cli:
    return Cli(tmp_path, prefix)


def domains(cli: Cli) -> Any:
    """All about the test's own domains; others use this libvirt meanwhile."""
    return dump(SYSTEM, cli.prefix)["domains"]


def states(cli: Cli) -> dict[str, str]:
    found = cli.json("vm", "list", f"{cli.prefix}*")["vms"]
    return {vm["name"].removeprefix(cli.prefix): vm["status"] for vm in found}


def test_the_life_of_vms(cli: Cli) -> None:
    document = cli.document(2)
    before = domains(cli)
    cli.run("vm", "apply", document, "--check", "--diff", "--detailed-exitcode", code=3)
    assert domains(cli) == before
    done = cli.json("vm", "apply", document)
    assert (done["changed"], done["failed"]) == (True, 0)
    assert [r["vm"]["status"] for r in done["results"]] == ["running"] * 2
    again = cli.run("vm", "apply", document, "--check", "--detailed-exitcode")
    assert again.stdout == "Nothing to do.\n"
    assert states(cli) == {"1": "running", "2": "running"}
    cli.run("vm", "pause", cli.name(1))
    assert states(cli) == {"1": "paused", "2": "running"}
    cli.run("vm", "resume", f"{cli.prefix}*")
    cli.run("vm", "reset", cli.name(2))
    cli.run("vm", "stop", f"{cli.prefix}*", "--force", "--timeout", "0")
    assert states(cli) == {"1": "stopped", "2": "stopped"}
    assert cli.json("vm", "stop", f"{cli.prefix}*")["changed"] is False
    cli.run("vm", "delete", f"{cli.prefix}*", code=2)
    cli.run("vm", "delete", f"{cli.prefix}*", "--yes")
    assert domains(cli) == before
    log = cli.run("log").stdout
    assert f"undefine {cli.name(1)}" in " ".join(log.split())


def test_undo(cli: Cli) -> None:
    cli.run("vm", "apply", cli.document(1))
    (plan,) = cli.json("plan", "list")
    assert plan["status"] == "done"
    cli.run("plan", "undo", plan["id"][:12], "--yes")
    assert states(cli) == {}
    assert "nothing to undo" in cli.run("plan", "undo", plan["id"], "--yes", code=1).stderr


@pytest.mark.fault
def test_killed_and_taken_back(cli: Cli) -> None:
    """Kill -9 while a VM is being stopped: the journal knows, and the plan can be picked up."""
    cli.run("vm", "apply", cli.document(1))
    process = cli.start("vm", "stop", cli.name(1), "--timeout", "60")
    wait_for_plan(cli)
    process.kill()
    process.communicate()
    (left,) = cli.json("plan", "list", "--unfinished")
    assert (left["status"], left["alive"]) == ("running", False)
    assert "interrupted" in cli.run("plan", "list").stdout
    cli.run("plan", "undo", left["id"], "--yes")
    assert cli.json("plan", "list", "--unfinished") == []
    assert states(cli) == {"1": "running"}


@pytest.mark.fault
def test_ctrl_c_twice_leaves_at_once(cli: Cli) -> None:
    cli.run("vm", "apply", cli.document(1))
    process = cli.start("vm", "stop", cli.name(1), "--timeout", "60")
    wait_for_plan(cli)
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Ctrl-C again leaves it half way" in errors
    assert len(cli.json("plan", "list", "--unfinished")) == 1


def wait_for_plan(cli: Cli) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if any(plan["alive"] for plan in cli.json("plan", "list")):
            return
    pytest.fail("no plan is being applied")


def test_a_terminal_asks_and_shows_progress(cli: Cli) -> None:
    document = cli.document(1)
    code, shown = cli.terminal("vm", "apply", document, "--diff", answer="n")
    assert code == 1
    assert "Change 1 of 1 VMs? [y/N]" in shown
    assert states(cli) == {}
    code, shown = cli.terminal("vm", "apply", document, answer="y")
    assert code == 0
    assert "━" in shown
    assert states(cli) == {"1": "running"}
    _, shown = cli.terminal("vm", "list", f"{cli.prefix}*", answer="")
    assert "\x1b[32mrunning" in shown
    _, shown = cli.terminal("vm", "list", f"{cli.prefix}*", "--no-color", answer="")
    assert "\x1b[32m" not in shown


@pytest.mark.fault
def test_what_has_changed_since_it_was_shown_is_left_alone(cli: Cli) -> None:
    """Somebody else makes one of the VMs, in another way, while the question is asked."""
    document = cli.document(2)

    def make_another() -> None:
        other = HALTED.replace("NAME", cli.name(2)).replace("16", "32").split("|")[1]
        connection = libvirt.open(SYSTEM)
        connection.defineXML(other)
        connection.close()

    code, shown = cli.terminal("vm", "apply", document, answer="y", meanwhile=make_another)
    assert code == 1
    assert f"VM {cli.name(2)} on {SYSTEM}: it is no longer as it was" in " ".join(shown.split())
    assert states(cli) == {"2": "stopped"}
    assert cli.json("plan", "list") == []
    code, shown = cli.terminal("vm", "apply", document, answer="y")
    assert code == 0
    assert states(cli) == {"1": "running", "2": "running"}


def test_only_what_was_shown_is_deleted(cli: Cli) -> None:
    cli.run("vm", "apply", cli.document(1, "stopped"))

    def make_another() -> None:
        cli.run("vm", "apply", cli.document(2, "stopped"))

    glob = f"{cli.prefix}*"
    code, shown = cli.terminal("vm", "delete", glob, answer="y", meanwhile=make_another)
    assert code == 0
    assert "Delete 1 VMs?" in shown
    assert states(cli) == {"2": "stopped"}


def test_only_the_snapshot_that_was_shown_is_deleted(cli: Cli) -> None:
    name, document = cli.name(1), cli.root / "disk.yml"
    vm = {"name": name, "memory": "64MiB", "networks": [], "disks": [{"size": "1MiB"}]}
    document.write_text(json.dumps({"vms": [{**vm, "state": "stopped"}]}))
    cli.run("vm", "apply", str(document))
    cli.run("vm", "snapshot", "create", name, "s1")

    def make_another() -> None:
        cli.run("vm", "snapshot", "delete", name, "s1", "--yes")
        cli.run("vm", "snapshot", "create", name, "s1", "--description", "of somebody else")

    delete = ("vm", "snapshot", "delete", name, "s1")
    code, shown = cli.terminal(*delete, answer="y", meanwhile=make_another)
    assert code == 1
    assert "no longer as it was when this was planned" in " ".join(shown.split())
    (left,) = cli.json("vm", "snapshot", "list", name)
    assert left["description"] == "of somebody else"
    code, shown = cli.terminal(*delete, answer="n")
    assert (code, len(cli.json("vm", "snapshot", "list", name))) == (1, 1)
    code, shown = cli.terminal(*delete, answer="y")
    assert (code, cli.json("vm", "snapshot", "list", name)) == (0, [])


def test_the_same_document_from_two_commands_at_once(cli: Cli) -> None:
    document = cli.document(3)
    both = [cli.start("vm", "apply", document) for _ in range(2)]
    for process in both:
        process.communicate(timeout=60)
    # Each VM is made by one of the two; the other one of them says so, and leaves it alone.
    assert states(cli) == {"1": "running", "2": "running", "3": "running"}
    cli.run("vm", "apply", document)
    assert states(cli) == {"1": "running", "2": "running", "3": "running"}
    assert cli.json("plan", "list", "--unfinished") == []


def test_doctor(cli: Cli) -> None:
    findings = {f["name"]: f for f in cli.json("doctor", "--probe")}
    assert all(f["status"] != "fail" for f in findings.values()), findings
    assert {"KVM device", "KVM guests", "host name", "network", "pool", "UEFI"} <= set(findings)
    connection = libvirt.open(SYSTEM)
    try:
        offered = "<domain type='kvm'" in connection.getCapabilities()
    finally:
        connection.close()
    assert offered or findings["KVM guests"]["status"] == "warn"
    assert cli.run("doctor", "--quiet").stdout == ""
