# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ML2 mechanism driver that binds every port on every host at once, ACTIVE: it needs no agents.

A host that is listed in the file `unbindable` of the rig's folder gets binding_failed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neutron_lib import constants
from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins import directory
from neutron_lib.plugins.ml2 import api

UNBINDABLE = Path("unbindable")  # all processes run in the rig's folder


class RigMechanismDriver(api.MechanismDriver):  # type: ignore[misc]
    """Registered as `rig` by the dist-info folder beside this file."""

    def initialize(self) -> None:
        pass

    @property
    def connectivity(self) -> Any:
        return portbindings.CONNECTIVITY_L2

    def bind_port(self, context: Any) -> None:
        if UNBINDABLE.exists() and context.host in UNBINDABLE.read_text().split():
            return
        segment = context.segments_to_bind[0]
        details = {
            portbindings.CAP_PORT_FILTER: True,
            portbindings.VIF_DETAILS_BRIDGE_NAME: "br-int",
            portbindings.VIF_DETAILS_CONNECTIVITY: self.connectivity,
        }
        context.set_binding(
            segment[api.ID],
            portbindings.VIF_TYPE_OVS,
            details,
            status=constants.PORT_STATUS_ACTIVE,
        )

    def update_port_postcommit(self, context: Any) -> None:
        """Report ports up, as an agent would: live migration leaves them DOWN until then."""
        port = context.current
        down = port["admin_state_up"] and port["status"] == constants.PORT_STATUS_DOWN
        if context.host and context.vif_type == portbindings.VIF_TYPE_OVS and down:
            directory.get_plugin().update_port_status(
                context._plugin_context, port["id"], constants.PORT_STATUS_ACTIVE, context.host
            )
