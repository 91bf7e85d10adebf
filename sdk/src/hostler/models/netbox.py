# SPDX-License-Identifier: Apache-2.0
"""What NetBox knows of hosts, and the ``netbox`` part of fleet.yml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from hostler.models.problems import checked

OwnerSource = Literal["tenant_group", "owner_group", "custom_field", "mapping"]

_TOKEN = re.compile(r"[!-~]+")


class NetboxHost(BaseModel):
    """A host as NetBox has it; what NetBox does not say is None.

    Attributes:
        name: the device's name, spelled as it was asked for.
        tenant, tenant_slug: whom it belongs to.
        owner_group, owner_group_slug: the group of that owner; the slug is None where the group is
            only a word (of a mapping, of a text field).
        nvlink: whether it has NVLink.
        site: the site's name.
        status: NetBox's own word: active, planned, staged, offline, failed ...
        url: its page in NetBox.
        source: NetBox's answer of just now, one that was kept, or none: NetBox has no such device.
    """

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


class NetboxConfig(BaseModel):
    """Which NetBox, and where in it the owner of a host is found.

    Attributes:
        url: NetBox's address, without ``/api`` (``NETBOX_URL`` comes before it).
        token: an API token that may read devices and tenants (``NETBOX_TOKEN`` comes before it).
        verify_tls: whether NetBox's certificate must be trusted.
        ca_file: certificates to trust in place of the usual ones.
        timeout: seconds that an answer may take.
        required: whether a NetBox that can't be reached is an error, not a warning.
        cache_seconds: how long answers are kept on disk; 0: not at all.
        site: slug of the site that the hosts are at, where names are not unique.
        owner_group: what the owner group of a host is: the group of its tenant, the group of its
            owner (NetBox 4.5 and newer), a custom field of the device, or ``owner_groups``.
        owner_group_field: name of that custom field.
        owner_groups: owner group by a tenant's name or slug.
        nvlink_field: custom field of devices that says whether they have NVLink.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = None
    token: SecretStr | None = None
    verify_tls: bool = True
    ca_file: str | None = None
    timeout: int = Field(20, ge=1, le=600)
    required: bool = False
    cache_seconds: int = Field(300, ge=0, le=86400)
    site: str | None = None
    owner_group: OwnerSource = "tenant_group"
    owner_group_field: str | None = None
    owner_groups: Mapping[str, str] = {}
    nvlink_field: str = "NVLinks"

    @field_validator("url")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            parts = urlsplit(url.strip())
            sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            sound = False
        if not sound:
            raise ValueError("must be an address such as https://netbox.example.com")
        if parts.username or parts.query or parts.fragment:
            raise ValueError("must have no user, '?' or '#' in it")
        return url.strip().rstrip("/").removesuffix("/api").rstrip("/")

    @field_validator("token")
    @classmethod
    def _one_word(cls, token: SecretStr | None) -> SecretStr | None:
        if token is None:
            return None
        word = token.get_secret_value().strip()
        if not _TOKEN.fullmatch(word):  # an HTTP library would repeat the token in its error
            raise ValueError("is empty, or has spaces or letters that no token has")
        return SecretStr(word)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.owner_group == "custom_field" and not self.owner_group_field:
            raise ValueError("owner_group: custom_field needs owner_group_field")
        if self.owner_group == "mapping" and not self.owner_groups:
            raise ValueError("owner_group: mapping needs owner_groups")
        return self

    def resolved(
        self,
        environment: Mapping[str, str],
        *,
        url: str | None = None,
        token: str | SecretStr | None = None,
        required: bool | None = None,
    ) -> NetboxConfig | None:
        """Return the settings that hold: what is given here, the environment's, these.

        The token of a file goes to the URL of that file only.

        Args:
            environment: where ``NETBOX_URL`` and ``NETBOX_TOKEN`` may be.
            url: comes before both.
            token: comes before both.
            required: comes before that of these settings.

        Returns:
            None where nobody names a URL: NetBox is not used.

        Raises:
            InvalidInput: the URL or the token can't be one.
        """
        address = url or environment.get("NETBOX_URL") or self.url
        if not address:
            return None
        secret = token or environment.get("NETBOX_TOKEN") or None
        changes = {
            "url": address,
            "token": secret,
            "required": self.required if required is None else required,
        }
        found = checked(NetboxConfig, {**self.model_dump(), **changes}, on="NetBox")
        if secret is None and found.url == self.url:
            return found.model_copy(update={"token": self.token})
        return found
