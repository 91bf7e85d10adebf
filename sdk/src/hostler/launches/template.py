# SPDX-License-Identifier: Apache-2.0
"""The packaged user data of a RunPod host: cloud-init's, with secrets in it.

Source of what a RunPod host needs: its public ports in /etc/runpod/config.json, a machine of the
account (GraphQL mutation ``machineAdd``), and the host installer, which takes a whole disk.
"""

from __future__ import annotations

import json
import shlex
from importlib.resources import files

import yaml
from pydantic import SecretStr

from hostler.models.launch import RunpodSeed

_FOLDER = "/etc/runpod"
_SCRIPT = "/usr/local/sbin/runpod-host-setup"


def runpod_user_data(seed: RunpodSeed, name: str) -> SecretStr:
    """Return the user data of a RunPod host of that name."""
    script = files(__package__).joinpath("templates/runpod-host-setup.sh").read_text()
    settings = {
        "RUNPOD_API_KEY": seed.api_key.get_secret_value(),
        "RUNPOD_INSTALLER_URL": seed.installer_url,
        "RUNPOD_DISK": seed.disk,
        "RUNPOD_MACHINE": name,
    }
    lines = "".join(f"{key}={shlex.quote(value)}\n" for key, value in settings.items())
    ports = json.dumps({"publicNetwork": {"ports": seed.ports}})
    config = {
        "package_update": True,
        "packages": ["curl", "jq"],
        "write_files": [
            _file(f"{_FOLDER}/config.json", ports, "0644"),
            _file(f"{_FOLDER}/setup.env", lines, "0600"),
            _file(_SCRIPT, script, "0700"),
        ],
        "runcmd": [[_SCRIPT]],
        "power_state": {"mode": "reboot", "delay": "+2", "message": "RunPod host is set up"},
    }
    return SecretStr("#cloud-config\n" + yaml.safe_dump(config, sort_keys=False))


def _file(path: str, content: str, mode: str) -> dict[str, str]:
    return {"path": path, "content": content, "permissions": mode, "owner": "root:root"}
