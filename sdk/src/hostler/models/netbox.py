# SPDX-License-Identifier: Apache-2.0
"""What NetBox knows of hosts."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class NetboxHost(BaseModel):
    """A device of NetBox."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    tenant: str | None = None
    tenant_slug: str | None = None
    owner_group: str | None = None
    owner_group_slug: str | None = None
    nvlink: bool | None = None
    site: str | None = None
    status: str | None = None
    url: str | None = None
    source: Literal["netbox", "cache", "unresolved"] = "unresolved"
