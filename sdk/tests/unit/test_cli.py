# SPDX-License-Identifier: Apache-2.0
"""The command line against libvirt's test driver: output, exit codes, errors as sentences."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hostler import __version__
from hostler.cli.app import app, hoist

pytestmark = pytest.mark.slow

DRIVER = """
<node>
  <domain type="test">
    <name>web-1</name><uuid>11111111-1111-4111-8111-111111111111</uuid>
    <memory>2097152</memory><vcpu>2</vcpu><os><type>hvm</type></os>
  </domain>
  <domain type="test">
    <name>web-2</name><uuid>22222222-2222-4222-8222-222222222222</uuid>
    <memory>524288</memory><vcpu>1</vcpu><os><type>hvm</type></os>
    <metadata/>
  </domain>
  <domain type="test">
    <name>db</name><uuid>33333333-3333-4333-8333-333333333333</uuid>
    <memory>8388608</memory><vcpu>4</vcpu><os><type>hvm</type></os>
    <test:runstate xmlns:test="http://libvirt.org/schemas/domain/test/1.0">5</test:runstate>
  </domain>
  <network>
    <name>default</name><bridge name="virbr9"/><ip address="192.0.2.1" netmask="255.255.255.0"/>
  </network>
</node>
"""

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in this process; each connection sees a fresh copy of the driver's state."""
    driver = tmp_path / "driver.xml"
    driver.write_text(DRIVER)
    monkeypatch.setenv("HOSTLER_STORE", f"sqlite:///{tmp_path}/hostler.db")
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", f"test://{driver}")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("HOSTLER_CONFIG", raising=False)

    def invoke(*args: str, code: int = 0, stdin: str = "") -> Any:
        result = CliRunner().invoke(app, [*args], input=stdin)
        assert result.exit_code == code, result.output + repr(result.exception)
        lines = [line for line in result.stdout.splitlines() if "test://" not in line]
        assert max(map(len, lines), default=0) <= 80 or "--json" in args
        return result

    return invoke


def data(result: Any) -> Any:
    assert result.stderr == ""
    return json.loads(result.stdout)


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "vms.yml"
    file.write_text("vms:\n- {name: new, memory: 64MiB, cpus: 1, virt_type: test, networks: []}\n")
    return file


def test_list(run: Run) -> None:
    lines = run("vm", "list").stdout.splitlines()
    assert lines[0].split() == ["NAME", "STATUS", "CPUS", "MEMORY"]
    assert [line.split()[:3] for line in lines[1:]] == [
        ["db", "stopped", "4"],
        ["web-1", "running", "2"],
        ["web-2", "running", "1"],
    ]


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (["web-*"], ["web-1", "web-2"]),
        (["web-1", "db"], ["db", "web-1"]),
        (["--status", "stopped"], ["db"]),
        (["--search", "3333"], ["db"]),
        (["--sort", "-memory_mb"], ["db", "web-1", "web-2"]),
        (["--label", "role=web"], []),
        (["--limit", "1", "--page", "2"], ["web-1"]),
    ],
)
def test_list_finds(run: Run, args: list[str], names: list[str]) -> None:
    page = data(run("vm", "list", *args, "--json"))
    assert [vm["name"] for vm in page["vms"]] == names


def test_list_says_that_there_are_more(run: Run) -> None:
    assert "Page 1 of 3, 3 VMs" in run("vm", "list", "--limit", "1").stdout
    assert run("vm", "list", "nothing*").stdout == "No VMs.\n"


def test_a_narrow_terminal_cuts_nothing_off(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = run("vm", "list").stdout
    monkeypatch.setenv("COLUMNS", "20")
    assert run("vm", "list").stdout == wide


def test_show(run: Run) -> None:
    text = run("vm", "show", "web-1").stdout
    assert "11111111-1111" in text
    assert ["CPUs", "2"] in [line.split() for line in text.splitlines()]
    assert data(run("vm", "show", "web-1", "--json"))["memory_mb"] == 2048
    assert run("vm", "show", "web-1", "--xml").stdout.startswith("<domain")


def test_what_could_not_be_read_goes_to_stderr(run: Run) -> None:
    there = ("--uri", "test:///default", "--json")
    assert run("vm", "list", *there).stderr == ""
    shown = run("vm", "list", "--field", "addresses", *there)
    assert "Warning: test on test:///default: addresses by lease: " in shown.stderr
    assert json.loads(shown.stdout)["warnings"]


def test_says_which_server_there_is_none_of(run: Run) -> None:
    assert run("vm", "vnc", "test", "--uri", "test:///default").stdout == "No VNC server.\n"


def test_a_pool_that_is_missing_is_a_command_away(run: Run, tmp_path: Path) -> None:
    document = tmp_path / "disk.yml"
    document.write_text("name: new\ndisks: [{size: 1GiB, pool: fast}]\n")
    error = run("vm", "apply", str(document), code=1).stderr
    assert "hostler storage pool set fast" in " ".join(error.split())


def test_apply_checks_then_makes(run: Run, document: Path) -> None:
    shown = run("vm", "apply", str(document), "--check", "--diff")
    assert "new: create VM new" in shown.stdout
    assert "  $ virsh -c test://" in shown.stdout
    assert "+memory: 64MiB" in shown.stdout
    run("vm", "apply", str(document), "--check", "--detailed-exitcode", code=3)
    assert run("plan", "list").stdout == "No plans.\n"
    done = run("vm", "apply", str(document)).stdout.splitlines()
    assert done[-1].split() == ["new", "changed"]
    assert [p["status"] for p in data(run("plan", "list", "--json"))] == ["done"]


def test_apply_what_is_there_does_nothing(run: Run, tmp_path: Path) -> None:
    document = tmp_path / "same.yml"
    document.write_text("name: web-1\nstate: running\ncpus: 2\n")
    result = run("vm", "apply", str(document), "--check", "--detailed-exitcode")
    assert result.stdout == "Nothing to do.\n"
    assert data(run("vm", "apply", str(document), "--json"))["changed"] is False


def test_apply_json(run: Run, document: Path) -> None:
    checked = data(run("vm", "apply", str(document), "--check", "--json"))
    assert checked["changed"] is True
    assert checked["results"][0]["after"]["memory"] == "64MiB"
    done = data(run("vm", "apply", str(document), "--json"))
    assert done["failed"] == 0
    assert done["results"][0]["name"] == "new"


@pytest.mark.usefixtures("run")
def test_apply_from_stdin(document: Path) -> None:
    command = [sys.executable, "-c", "from hostler.cli import main; main()", "vm", "apply", "-"]
    ran = subprocess.run(
        [*command, "--check"],
        input=document.read_text(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "new: create VM new" in ran.stdout


def test_apply_a_bad_file(run: Run, document: Path) -> None:
    document.write_text("vms:\n- {name: web-1, memroy: 1GiB}\n")
    failed = run("vm", "apply", str(document), code=2)
    assert failed.stdout == ""
    assert f"{document}, line 2, at vms[0].memroy: there is no such option" in failed.stderr
    error = data(run("vm", "apply", str(document), "--json", code=2))["error"]
    assert error["code"] == "invalid_config"
    assert "did you mean 'memory'?" in error["message"]


def test_apply_what_cannot_be_planned_touches_nothing(run: Run, tmp_path: Path) -> None:
    document = tmp_path / "two.yml"
    document.write_text(
        "vms:\n- {name: web-1, cpus: 1}\n- {name: new, virt_type: kvm, memory: 1GiB}\n"
    )
    failed = run("vm", "apply", str(document), "--yes", code=2)
    assert "Nothing was touched." in failed.stderr
    assert run("plan", "list").stdout == "No plans.\n"


@pytest.mark.parametrize(
    ("operation", "names", "status"),
    [
        ("start", ["db"], "done"),
        ("stop", ["web-1", "--force", "--timeout", "0"], "done"),
        ("pause", ["web-*"], "done"),
        ("resume", ["web-1"], None),
        ("delete", ["db", "--yes"], "done"),
        ("delete", ["web-1", "--yes", "--force"], "done"),
    ],
)
def test_operations(run: Run, operation: str, names: list[str], status: str | None) -> None:
    run("vm", operation, *names, "--check")
    assert run("plan", "list").stdout == "No plans.\n"
    done = data(run("vm", operation, *names, "--json"))
    assert done["changed"] is (status is not None)
    assert {p["status"] for p in data(run("plan", "list", "--json"))} == ({status} - {None})


def test_operations_need_names(run: Run) -> None:
    assert "name the VMs" in run("vm", "stop", code=2).stderr
    failed = run("vm", "start", "nothing", code=1)
    assert "VM 'nothing'" in failed.stderr
    assert "there is no such VM" in failed.stderr


def test_delete_asks_and_without_a_terminal_wants_a_yes(run: Run) -> None:
    assert "Add --yes" in run("vm", "delete", "db", code=2).stderr
    assert run("plan", "list").stdout == "No plans.\n"


def test_plans_and_log(run: Run, document: Path) -> None:
    run("vm", "apply", str(document))
    run("vm", "start", "db")
    plans = data(run("plan", "list", "--json"))
    assert [p["target"] for p in plans] == ["vm/db", "vm/new"]
    shown = run("plan", "show", plans[1]["id"], "--diff").stdout
    assert "create VM new" in shown
    assert "+name: new" in shown
    assert data(run("plan", "show", plans[0]["id"], "--json"))["steps"][0]["status"] == "done"
    assert run("plan", "list", "--unfinished").stdout == "No plans.\n"
    log = data(run("log", "--json"))
    assert [entry["target"] for entry in log] == ["vm/new", "vm/db"]
    assert run("log", "--target", "vm/db").stdout.count("done") == 1
    assert run("log", "--since", "2099-01-01").stdout == "No commands.\n"
    assert "nothing to resume" in run("plan", "resume", plans[0]["id"], code=1).stderr
    assert "there is no plan 'x'" in run("plan", "show", "x", code=1).stderr
    assert "Add --yes" in run("log", "--clear", code=2).stderr
    assert data(run("log", "--clear", "--yes", "--json")) == {"cleared": 2}
    assert run("log").stdout == "No commands.\n"


def test_undo(run: Run) -> None:
    run("vm", "start", "db")
    (plan,) = data(run("plan", "list", "--json"))
    assert "Add --yes" in run("plan", "undo", plan["id"], code=2).stderr
    assert "undone: start domain db" in run("plan", "undo", plan["id"], "--yes").stdout
    (plan,) = data(run("plan", "list", "--json"))
    assert plan["status"] == "undone"


def test_snapshots(run: Run) -> None:
    assert run("vm", "snapshot", "list", "web-1").stdout == "web-1 has no snapshots.\n"
    checked = run("vm", "snapshot", "create", "db", "s1", "--check")
    assert "snapshot-create-as db" in checked.stdout.replace("\n", " ")
    assert run("plan", "list").stdout == "No plans.\n"
    assert run("vm", "snapshot", "create", "db", "s1").stdout.split()[-1] == "changed"
    assert run("vm", "snapshot", "delete", "db", "s1", "--yes").stdout.split()[-1] == "unchanged"
    assert "none" in run("vm", "snapshot", "revert", "db", "none", "--yes", code=1).stderr


def test_pending(run: Run) -> None:
    assert run("vm", "pending").stdout == "No VM waits for a restart.\n"
    assert data(run("vm", "pending", "--json")) == []


@pytest.mark.parametrize("what", ["vm", "fleet"])
def test_schema(run: Run, what: str) -> None:
    assert json.loads(run("schema", what, "--json").stdout)["title"].startswith("Hostler")


def test_doctor(run: Run) -> None:
    findings = {f["name"]: f for f in data(run("doctor", "--json"))}
    assert findings["libvirt"]["status"] == "ok"
    assert findings["pool"]["status"] == "warn"
    text = run("doctor").stdout
    assert "✓ libvirt" in " ".join(text.split())
    assert "virsh pool-define-as default" in text.replace("\n", " ").replace("  ", "")


def test_doctor_of_a_host_that_is_not_there(run: Run) -> None:
    result = run("doctor", "--uri", "qemu+tcp://127.0.0.1:1/system", code=1)
    assert "✗ libvirt" in " ".join(result.stdout.split())
    assert "Connection refused" in result.stdout.replace("\n", " ").replace("  ", "")


def test_errors_are_sentences(run: Run) -> None:
    failed = run("vm", "list", "--uri", "qemu+tcp://127.0.0.1:1/system", code=1)
    assert failed.stderr.startswith("Error: hypervisor qemu+tcp://127.0.0.1:1/system: ")
    error = data(run("vm", "list", "--uri", "qemu+tcp://127.0.0.1:1/system", "--json", code=1))
    assert error["error"]["code"] == "unreachable"
    assert "status[0]" in run("vm", "list", "--status", "red", code=2).stderr
    assert "can't be read" in run("vm", "list", "--config", "/nowhere.yml", code=2).stderr
    assert data(run("vm", "nonsense", "--json", code=2))["error"]["code"] == "usage"
    run("vm", "nonsense", code=2)
    run("vm", "list", "--nonsense", code=2)


def test_quiet_prints_errors_only(run: Run) -> None:
    assert run("vm", "list", "--quiet").output == ""
    assert run("vm", "start", "db", "--quiet").output == ""
    assert run("vm", "start", "none", "--quiet", code=1).stdout == ""


def test_version(run: Run) -> None:
    assert run("--version").stdout == f"hostler {__version__}\n"


@pytest.mark.parametrize(
    ("args", "hoisted"),
    [
        ("vm list --json", "--json vm list"),
        ("vm list --uri=x a", "--uri=x vm list a"),
        ("vm list --uri x a --quiet", "--uri x --quiet vm list a"),
        ("vm show -- --json", "vm show -- --json"),
        ("vm list --uri", "--uri vm list"),
    ],
)
def test_global_options_stand_anywhere(args: str, hoisted: str) -> None:
    assert hoist(args.split()) == hoisted.split()


def test_completion_of_names(run: Run) -> None:
    for words, expected in (("vm show we", ["web-1", "web-2"]), ("vm stop d", ["db"])):
        env = {
            "_HOSTLER_COMPLETE": "complete_bash",
            "COMP_WORDS": f"hostler {words}",
            "COMP_CWORD": str(len(words.split())),
        }
        result = CliRunner().invoke(app, [], env=env, prog_name="hostler")
        assert result.stdout.split() == expected
    run("vm", "list", "--uri", "test:///nowhere.xml", code=1)


@pytest.mark.parametrize("args", [["--help"], ["vm", "--help"], ["vm", "apply", "--help"]])
def test_help_loads_nothing_heavy(args: list[str]) -> None:
    code = (
        "import sys\n"
        "from hostler.cli.app import app\n"
        f"try: app({args!r})\n"
        "except SystemExit: pass\n"
        "heavy = {'alembic', 'jsonschema', 'libvirt', 'lxml', 'sqlalchemy', 'yaml'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert "Usage: " in ran.stdout
