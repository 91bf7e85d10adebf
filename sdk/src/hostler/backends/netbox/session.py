# SPDX-License-Identifier: Apache-2.0
"""The HTTP session beneath pynetbox: answers are kept on disk, so that they outlive a task."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import ssl
import threading
from contextlib import closing
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidJSONError
from requests.models import PreparedRequest, Response
from requests_cache import CachedSession, create_key
from requests_cache.backends.sqlite import SQLiteCache

from hostler.backends.netbox.answers import complete, rebased
from hostler.errors import InvalidInput
from hostler.models.netbox import NetboxConfig

NEGATIVE_SECONDS = 30
"""How long an answer is kept that lacks something: whoever adds it wants to see it."""

_MODE = 0o600


class Transport(HTTPAdapter):
    """Sends requests to NetBox.

    The token is added here, beneath the cache, so that the cache never sees it: requests-cache
    hides a header only in one spelling, and not at all in what led to a redirect.
    """

    def __init__(self, config: NetboxConfig) -> None:
        super().__init__()
        self._config = config
        self._here = threading.local()

    @property
    def sent(self) -> int:
        """How many requests this thread has sent."""
        return getattr(self._here, "sent", 0)

    def send(
        self,
        request: PreparedRequest,
        *args: Any,
        verify: bool | str = True,
        proxies: Any = None,
        **_others: Any,
    ) -> Response:
        """Send a request; the configuration's time limit and certificates hold."""
        self._here.sent = self.sent + 1
        signed = request.copy()
        if self._config.token is not None:
            token = self._config.token.get_secret_value()
            signed.headers["Authorization"] = f"{_scheme(token)} {token}"
        trusted = (self._config.ca_file or verify) if self._config.verify_tls else False
        timeout = self._config.timeout
        response = super().send(signed, timeout=timeout, verify=trusted, proxies=proxies)
        response.request = request
        response.cookies.clear()
        response.headers.pop("Set-Cookie", None)
        response.headers["Cache-Control"] = self._keep(response)
        return response

    def _keep(self, response: Response) -> str:
        if not is_list(response):
            return "no-store"
        seconds = self._config.cache_seconds
        if not complete(str(response.url), response.json()):
            seconds = min(seconds, NEGATIVE_SECONDS)
        return f"max-age={seconds}"


class NetboxSession(CachedSession):
    """A session that asks one NetBox only, and is not led anywhere else by its answers."""

    def __init__(self, config: NetboxConfig) -> None:
        self.base = config.url or ""
        secret = config.token.get_secret_value() if config.token else ""
        identity = hashlib.sha256(f"{self.base}\0{secret}".encode()).hexdigest()

        def key(**request: Any) -> str:  # who may see less than another gets answers of his own
            return f"{identity[:16]}-{create_key(**request)}"

        super().__init__(backend=_kept(config) or "memory", cache_control=True, key_fn=key)
        self.settings.disabled = config.cache_seconds == 0
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.transport = Transport(config)
        self.mount(f"{self.base}/", self.transport)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> Any:
        """Make a request below NetBox's address; a redirect is not followed.

        Raises:
            InvalidJSONError: a good answer that is no list of NetBox's.
        """
        kwargs["allow_redirects"] = False
        answer = super().request(str(method), rebased(self.base, str(url)), *args, **kwargs)
        if answer.status_code == 200 and not is_list(answer):
            raise InvalidJSONError(response=answer)
        return answer


def is_list(answer: Response) -> bool:
    """Whether an answer is one of NetBox's lists."""
    try:
        body = answer.json()
    except ValueError:
        return False
    return isinstance(body, dict) and {"count", "next", "results"} <= set(body)


def open_session(config: NetboxConfig) -> NetboxSession:
    """Open a session.

    Raises:
        InvalidInput: the file of certificates can't be read.
    """
    if config.ca_file and config.verify_tls:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(config.ca_file)
        except OSError as error:
            bad = isinstance(error, ssl.SSLError)
            what = "there is no certificate in it" if bad else f"it can't be read: {error.strerror}"
            raise InvalidInput(what, on=f"netbox.ca_file {config.ca_file!r}") from None
    return NetboxSession(config)


def cache_file() -> Path:
    """Return where answers are kept."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "hostler" / "netbox.sqlite"


def _kept(config: NetboxConfig) -> SQLiteCache | None:
    """Open the file of kept answers; None where there is none, or none can be."""
    file = cache_file()
    if not (config.cache_seconds and _usable(file)):
        return None
    kept = SQLiteCache(file, serializer="json")  # by default pickles: code, to whoever reads them
    kept.delete(expired=True, vacuum=False)
    return kept


def _scheme(token: str) -> str:
    """Return the word before a token: that of NetBox 4.5's new ones, or the old one."""
    return "Bearer" if token.startswith("nbt_") and "." in token else "Token"


def _usable(file: Path) -> bool:
    """Make the file, for the user's eyes only, or anew where it is broken; whether it is writable.

    requests-cache waits for the lock of a file without end, whatever the reason not to get it.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, _MODE))
        file.chmod(_MODE)
        if not _sound(file):
            file.unlink()
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, _MODE))
    except (OSError, sqlite3.OperationalError):
        return False
    return True


def _sound(file: Path) -> bool:
    """Whether a file is a database and in order.

    Raises:
        sqlite3.OperationalError: it can't be written, or not now.
    """
    try:
        with closing(sqlite3.connect(file, timeout=2, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
            return bool(database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return False
