# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vm_console_info and vm_log_info, through both doors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import PREFIX, Play, Task, Xml

pytestmark = pytest.mark.usefixtures("clean")

NAME = f"{PREFIX}watched"
SECRET = "geheim-1"
DEVICES = f"""
<serial type='pty'/><video><model type='vga'/></video>
<graphics type='vnc' autoport='yes' listen='127.0.0.1' passwd='{SECRET}'/>
"""


def task(title: str, module: str, /, **options: Any) -> Task:
    return {"name": title, f"hostler.fleet.{module}": options, "ignore_errors": True}


def test_watching(play: Play, halting: Xml, tmp_path: Path) -> None:
    xml = halting("watched").replace("<devices>", f"<devices>{DEVICES}")
    told = play(
        [
            {**task("made", "vm", name=NAME, xml=xml, state="running"), "no_log": True},
            task("consoles", "vm_console_info", name=NAME),
            {
                **task("secret", "vm_console_info", vm=NAME, types=["vnc"], show_password=True),
                "no_log": True,
            },
            task("no console", "vm_console_info", name=f"{PREFIX}nobody"),
            task("logs", "vm_log_info", name=NAME, sources=["hypervisor"], lines=500),
            task("no log", "vm_log_info", name=NAME, sources=["console"]),
            task("bad", "vm_log_info", name=NAME, since="yesterday"),
        ],
        "-vvv",
    )
    assert not told["made"].get("failed"), told["made"]
    vnc, serial = told["consoles"]["consoles"]
    assert (vnc["type"], vnc["via"], vnc["host"], vnc["password"]) == (
        "vnc",
        "libvirt",
        "127.0.0.1",
        None,
    )
    assert vnc["port"] >= 5900
    assert (serial["type"], serial["running"]) == ("serial", True)
    assert SECRET not in (tmp_path / "output.txt").read_text()
    messages = [entry["message"] for entry in told["logs"]["logs"]]
    assert any("starting up libvirt" in text for text in messages)
    codes = {name: told[name]["error"]["code"] for name in ("no console", "no log", "bad")}
    assert codes == {"no console": "not_found", "no log": "not_found", "bad": "invalid_input"}
