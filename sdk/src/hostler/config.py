# SPDX-License-Identifier: Apache-2.0
"""fleet.yml: where things are and what may be done to them."""

from __future__ import annotations

from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_URI = "qemu:///system"


class Policy(BaseModel):
    """What no plan may do.

    Attributes:
        read_only: refuse every change.
        protected: globs of names of VMs and hosts that no plan may stop, delete or migrate unless
            the task says ``override_protection``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    read_only: bool = False
    protected: tuple[str, ...] = ()

    def protects(self, name: str) -> bool:
        """Whether a VM or host is protected."""
        return any(fnmatchcase(name, pattern) for pattern in self.protected)


class FleetConfig(BaseModel):
    """A fleet's configuration; every field has a default, so an empty file is a good one.

    Attributes:
        uri: the libvirt URI where a task names none (``LIBVIRT_DEFAULT_URI`` comes before it).
        store: SQLAlchemy URL of the journal's database.
        parallel: how many plans are applied at once.
        connect_timeout: seconds that a host gets to accept a connection.
        policy: what no plan may do.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    uri: str = DEFAULT_URI
    store: str | None = None
    parallel: int = Field(8, ge=1, le=64)
    connect_timeout: int = Field(15, ge=1, le=600)
    policy: Policy = Policy()
