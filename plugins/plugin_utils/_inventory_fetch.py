# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the hypervisors of an inventory, and Hyperstack, through the SDK."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleParserError
from ansible_collections.hostler.fleet.plugins.module_utils._sdk import sdk_problem

DEFAULT_URI = "qemu:///system"


def fetch(request: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Read what an inventory asks for.

    Raises:
        AnsibleParserError: the SDK or a library of it is missing, or the configuration is bad.
    """
    if problem := sdk_problem():
        raise AnsibleParserError(problem)
    from hostler.errors import HostlerError

    rows: list[dict[str, t.Any]] = []
    try:
        if "libvirt" in request["systems"]:
            rows += _hypervisors(request)
        if "hyperstack" in request["systems"]:
            rows.append(_hyperstack(request))
    except HostlerError as error:
        raise AnsibleParserError(str(error)) from error
    return rows


def _hyperstack(request: dict[str, t.Any]) -> dict[str, t.Any]:
    from hostler import Fleet
    from hostler.hyperstack.inventory import collect

    names, states = request["names"], request["states"]
    with Fleet(request["config"]) as fleet:
        return collect(fleet.hyperstack_api(), names=list(map(str, names)), states=states)


def _hypervisors(request: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    try:
        from hostler.vms.inventory import Wanted, collect
    except ImportError as error:
        raise AnsibleParserError(f"{error}. Run: pip install 'hostler[libvirt]'") from error
    wanted = Wanted(
        names=tuple(map(str, request["names"])),
        states=tuple(map(str, request["states"])),
        sources=tuple(request["sources"]),
        agent_timeout=request["agent_timeout"],
        timeout=request["timeout"],
        xml=request["xml"],
    )
    return t.cast("list[dict[str, t.Any]]", collect(_uris(request), wanted))


def _uris(request: dict[str, t.Any]) -> list[str]:
    if request["host"]:
        from hostler import Fleet

        with Fleet(request["config"]) as fleet:
            return [host.uri for host in fleet.hosts.choose([str(h) for h in request["host"]])]
    if request["uri"]:
        return [str(uri) for uri in request["uri"]]
    if request["config"]:
        from hostler.files import load_config

        return [load_config(request["config"]).uri]
    return [DEFAULT_URI]
