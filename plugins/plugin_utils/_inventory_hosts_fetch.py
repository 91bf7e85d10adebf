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
    from hostler.gpu import inventory

    readers = {"openstack": inventory.openstack}
    try:
        with open_fleet(options) as fleet:
            rows = [readers[source](fleet) for source in options["sources"]]
    except HostlerError as error:
        raise AnsibleParserError(str(error)) from error
    return t.cast("list[dict[str, t.Any]]", rows)
