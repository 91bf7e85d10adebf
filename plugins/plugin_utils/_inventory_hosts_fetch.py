# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the hosts of an inventory through the SDK."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleParserError
from ansible_collections.hostler.fleet.plugins.module_utils._sdk import sdk_problem
from ansible_collections.hostler.fleet.plugins.plugin_utils._fleet import open_fleet


def fetch(options: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """Read the sources that an inventory asks for.

    Raises:
        AnsibleError: the SDK is missing, or the configuration is bad.
    """
    if problem := sdk_problem():
        raise AnsibleParserError(problem)
    from hostler.errors import HostlerError

    readers = {"openstack": _openstack, "libvirt": _libvirt}
    try:
        with open_fleet(options) as fleet:
            rows = [readers[source](fleet, options) for source in options["sources"]]
    except HostlerError as error:
        raise AnsibleParserError(str(error)) from error
    return t.cast("list[dict[str, t.Any]]", rows)


def _openstack(fleet: t.Any, _options: t.Mapping[str, t.Any]) -> t.Any:
    from hostler.gpu.inventory import openstack

    return openstack(fleet)


def _libvirt(fleet: t.Any, options: t.Mapping[str, t.Any]) -> t.Any:
    try:
        from hostler.hosts.inventory import libvirt
    except ImportError as error:
        raise AnsibleParserError(f"{error}. Run: pip install 'hostler[libvirt]'") from error
    return libvirt(fleet, timeout=options["timeout"])
