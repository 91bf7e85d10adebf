# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module's work within one process, on libvirt's own test driver."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.hostler.fleet.plugins.module_utils import (
    _journal,
    _module,
    _vm,
    _vm_info,
)

COLLECTIONS = Path(_module.__file__).parents[5]
"""Where this run of the tests finds ansible_collections."""
TEST = "test:///default"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTLER_STORE", f"sqlite:///{tmp_path}/journal.db")


def perform(module: _module.Module, *, check: bool = False, **options: Any) -> _module.Result:
    checked = ArgumentSpecValidator(**module.arguments).validate(options)
    assert not checked.error_messages
    return module.perform(checked.validated_parameters, check=check)


def test_vm_info() -> None:
    info = perform(_vm_info.MODULE, uri=TEST)
    assert [vm["name"] for vm in info["vms"]] == ["test"]
    assert info["pagination"] == {"page": 1, "limit": 0, "total": 1, "pages": 1}


def test_what_could_not_be_read_is_a_warning() -> None:
    """The test driver has no leases: that matters to those who ask for addresses."""
    assert perform(_vm_info.MODULE, uri=TEST)["warnings"] == []
    info = perform(_vm_info.MODULE, uri=TEST, fields=["addresses"])
    [warning] = info["warnings"]
    assert warning.startswith(f"test on {TEST}: addresses by lease: ")
    assert info["vms"][0]["warnings"] == [warning.split(": ", 1)[1]]


def test_life_of_a_vm() -> None:
    wanted: dict[str, Any] = {
        "uri": TEST,
        "name": "unit",
        "memory": "64MiB",
        "virt_type": "test",
        "networks": [],
    }
    predicted = perform(_vm.MODULE, check=True, **wanted)
    made = perform(_vm.MODULE, **wanted)
    again = perform(_vm.MODULE, **wanted)
    removed = perform(_vm.MODULE, uri=TEST, name="unit", state="absent")
    results = [predicted, made, again, removed]
    assert [result.get("msg") for result in results] == [None] * 4
    assert [result["changed"] for result in results] == [True, True, False, True]
    assert predicted["diff"] == made["diff"]
    log = perform(_journal.COMMAND_LOG)
    commands = [entry["command"] for entry in reversed(log["commands"])]
    assert commands == [*made["plan"]["commands"], *removed["plan"]["commands"]]
    assert all(log["commands"][0][name] for name in ("timestamp", "status", "user", "plan_id"))
    assert log["commands"][0]["execution_time"] is not None


def test_an_error_has_a_code_and_a_sentence() -> None:
    failed = perform(_vm.MODULE, uri="nonsense:///", name="unit", state="running")
    assert failed["failed"]
    assert failed["error"]["message"] == failed["msg"]
    assert "nonsense:///" in failed["msg"]


def test_items_of_a_loop_share_a_fleet() -> None:
    params = {"config": None, "uri": TEST}
    fleet = _module.open_once(params)
    assert _module.open_once(dict(params)) is fleet
    assert _module.open_once({**params, "uri": "test:///other"}) is not fleet


def test_a_fork_opens_its_own_fleet() -> None:
    params = {"config": None, "uri": TEST}
    fleet = _module.open_once(params)
    child = os.fork()
    if child == 0:
        os._exit(0 if _module.open_once(params) is not fleet else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_loading_the_action_plugin_preloads_and_opens_nothing() -> None:
    code = (
        "import sys, threading\n"
        "from ansible_collections.hostler.fleet.plugins.action import vm\n"
        "from ansible_collections.hostler.fleet.plugins.module_utils import _module\n"
        "wanted = {'libvirt', 'lxml.etree', 'sqlalchemy', 'hostler.vms.service'}\n"
        "assert wanted <= set(sys.modules), wanted - set(sys.modules)\n"
        "assert not _module._fleets\n"
        "assert threading.active_count() == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(COLLECTIONS)}, check=True)


def test_tasks_import_nothing_more() -> None:
    """Each runs in a fork of its own, so that an import in there is paid for by every task."""
    code = (
        "import sys\n"
        "from ansible.module_utils.common.arg_spec import ArgumentSpecValidator\n"
        "from ansible_collections.hostler.fleet.plugins.action import vm\n"
        "from ansible_collections.hostler.fleet.plugins.module_utils import _vm\n"
        "def run(**options):\n"
        "    checked = ArgumentSpecValidator(**_vm.MODULE.arguments).validate(options)\n"
        "    before = set(sys.modules)\n"
        "    result = _vm.MODULE.perform(checked.validated_parameters, check=False)\n"
        "    return result['changed'], {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "there = {'uri': 'test:///default', 'name': 'test'}\n"
        "assert run(**there, state='running') == (False, set())\n"
        "changed, loaded = run(**there, title='changed')\n"
        "assert changed and not loaded & {'hostler', 'pydantic', 'libvirt'}, loaded\n"
    )
    env = {"PYTHONPATH": str(COLLECTIONS), "HOSTLER_STORE": os.environ["HOSTLER_STORE"]}
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
