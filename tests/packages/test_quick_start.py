# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""README's first script, playbook and commands, run by the installed packages alone.

What is changed in them: the name of the VM, so that nobody's own is touched, and the image.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from .conftest import ROOT, Installed

pytestmark = pytest.mark.timeout(600)  # the first test waits for the installation
URI = "qemu:///system"
NAME = "hostler-packages-web1"
GUEST = ROOT / ".cache" / "guest" / "hostler-guest.qcow2"
TERMINAL = ("--quiet", "--return", "/dev/null", "--command")  # of script(1): it is asked there
README = (ROOT / "README.md").read_text()


def block(title: str, language: str) -> str:
    """The first block of a language below a heading, with our name and image."""
    section = README[README.index(f"## {title}\n") :]
    found = re.search(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert found
    text = re.sub(r"\bweb1\b(?!\.yml)", NAME, found[1])
    return text.replace("images/debian-12-generic-amd64.qcow2", str(GUEST))


@pytest.fixture
def real(installed: Installed) -> Iterator[Installed]:
    """The packages, with a key for ssh; the VM is removed afterwards."""
    assert GUEST.exists(), f"{GUEST} is missing; run: make setup"
    key = installed.folder / "home" / ".ssh" / "id_ed25519"
    key.parent.mkdir(exist_ok=True)
    key.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    yield installed
    found = installed.run("hostler", "vm", "list", NAME, "--json", uri=URI)
    if NAME in found:
        words = ("hostler", "vm", "delete", NAME, "--force", "--delete-disks", "--yes")
        installed.run(*words, uri=URI)


def test_first_script(installed: Installed) -> None:
    (installed.folder / "first.py").write_text(block("First script", "python"))
    said = installed.run("python", "first.py")
    assert "create VM web2" in said
    assert "web2 2 1024" in said


def test_first_playbook(real: Installed) -> None:
    (real.folder / "web.yml").write_text(block("First playbook", "yaml"))
    previewed = real.run("ansible-playbook", "web.yml", "--check", "--diff", uri=URI)
    assert "changed=1" in previewed
    assert "changed=1" in real.run("ansible-playbook", "web.yml", uri=URI)
    assert "changed=0" in real.run("ansible-playbook", "web.yml", uri=URI)


def test_first_commands(real: Installed) -> None:
    (real.folder / "web1.yml").write_text(block("First commands", "yaml"))
    said = [
        real.run("script", *TERMINAL, line, answer="y\n", uri=URI)
        for line in block("First commands", "sh").splitlines()
    ]
    assert "create VM" in said[0]
    assert re.search(rf"{NAME} +running", said[2])
    assert "define" in said[4]
    assert NAME not in real.run("hostler", "vm", "list", "--json", uri=URI)
