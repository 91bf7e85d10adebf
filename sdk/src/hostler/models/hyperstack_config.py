# SPDX-License-Identifier: Apache-2.0
"""The ``hyperstack`` part of fleet.yml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from hostler.models.problems import checked

DEFAULT_URL = "https://infrahub-api.nexgencloud.com/v1"

_KEY = re.compile(r"[!-~]+")


def check_address(url: str) -> str:
    """Refuse what is no address of a web API.

    Raises:
        ValueError: says what is wrong with it.
    """
    try:
        parts = urlsplit(url.strip())
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise ValueError(f"must be an address such as {DEFAULT_URL}")
    if parts.username or parts.query or parts.fragment:
        raise ValueError("must have no user, '?' or '#' in it")
    return url.strip().rstrip("/")


class HyperstackConfig(BaseModel):
    """Which Hyperstack, and how it is asked.

    Attributes:
        url: address of the API, with its version (``HYPERSTACK_API_URL`` comes before it).
        api_key: key of the API (``HYPERSTACK_API_KEY`` comes before it).
        timeout: seconds that an answer may take.
        rate_limit: requests per minute that this process sends at most; Hyperstack allows 500 of
            one address, so that several machines behind one share them.
        retries: how often a read is tried again that was not answered; writes never are.
        retry_delay: seconds before the first of them; each further waits twice as long.
        poll_interval: seconds between two looks at something that takes time.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = DEFAULT_URL
    api_key: SecretStr | None = None
    timeout: int = Field(60, ge=1, le=600)
    rate_limit: int = Field(500, ge=1, le=100000)
    retries: int = Field(6, ge=0, le=20)
    retry_delay: float = Field(1.0, ge=0, le=60)
    poll_interval: float = Field(5.0, gt=0, le=60)

    _address = field_validator("url")(check_address)

    @field_validator("api_key")
    @classmethod
    def _one_word(cls, key: SecretStr | None) -> SecretStr | None:
        if key is None:
            return None
        word = key.get_secret_value().strip()
        if not _KEY.fullmatch(word):  # an HTTP library would repeat the key in its error
            raise ValueError("is empty, or has spaces or letters that no key has")
        return SecretStr(word)

    def resolved(
        self,
        environment: Mapping[str, str],
        *,
        url: str | None = None,
        api_key: str | SecretStr | None = None,
    ) -> HyperstackConfig:
        """Return the settings that hold: what is given here, the environment's, these.

        The key of a file goes to the URL of that file only.

        Args:
            environment: where ``HYPERSTACK_API_URL`` and ``HYPERSTACK_API_KEY`` may be.
            url: comes before both.
            api_key: comes before both.

        Raises:
            InvalidInput: the URL or the key can't be one.
        """
        secret = api_key or environment.get("HYPERSTACK_API_KEY") or None
        changes = {
            "url": url or environment.get("HYPERSTACK_API_URL") or self.url,
            "api_key": secret,
        }
        found = checked(HyperstackConfig, {**self.model_dump(), **changes}, on="Hyperstack")
        if secret is None and found.url == self.url:
            return found.model_copy(update={"api_key": self.api_key})
        return found
