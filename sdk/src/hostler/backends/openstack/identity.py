# SPDX-License-Identifier: Apache-2.0
"""Keystone: names of projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hostler.backends.openstack.cloud import Cloud


class IdentityApi:
    """What we ask of Keystone."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def project_names(self) -> dict[str, str]:
        """Return the projects' names by their ids.

        Raises:
            Denied: only an administrator may list them.
        """
        found = self._cloud.call("identity", "GET", "/projects")["projects"]
        return {project["id"]: project["name"] for project in found}
