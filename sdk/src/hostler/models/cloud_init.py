# SPDX-License-Identifier: Apache-2.0
"""Cloud-init: what a guest is told at its first boot (NoCloud seed)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from hostler.models.names import check_text


class CloudInit(BaseModel):
    """A NoCloud seed (https://cloudinit.readthedocs.io, datasource NoCloud).

    ``user_data`` is treated as a secret: it is never shown, logged or stored, only its digest is.
    A dict becomes a ``#cloud-config`` document; text is taken as it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    user_data: SecretStr | dict[str, Any] | None = None
    network_config: SecretStr | dict[str, Any] | None = None
    ssh_keys: tuple[str, ...] = ()
    hostname: str | None = None
    pool: str | None = None
    """Pool of the seed volume; that of the first disk where left out."""

    @field_validator("ssh_keys")
    @classmethod
    def _keys(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        for key in keys:
            check_text(key)
            if len(key.split()) < 2:
                raise ValueError(f"{key[:20]!r} is not an SSH public key")
        return keys
