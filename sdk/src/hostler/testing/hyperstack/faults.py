# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on purpose, and what was asked and answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, ClassVar

HTML = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


class Refused(Exception):
    """A request is refused.

    Attributes:
        status: of the answer.
        message, reason: what it says.
    """

    _REASONS: ClassVar = {
        400: "bad_request", 401: "unauthorized", 402: "payment_required", 403: "forbidden",
        404: "not_found", 405: "not_allowed", 409: "already_exist", 429: "too_many_requests",
        500: "server_error", 503: "server_error",
    }  # fmt: skip

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.reason = self._REASONS.get(status, "bad_request")

    @property
    def body(self) -> dict[str, Any]:
        """Return the answer's body."""
        return {"status": False, "message": self.message, "error_reason": self.reason}


@dataclass(frozen=True)
class Call:
    """A request and its answer.

    Attributes:
        method, path, query, body: what was asked; the path without the version.
        keyed: whether it had a key.
        status: of the answer; None: there was none.
        answer, content_type: what was answered.
        told: the answer was made to be wrong.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    keyed: bool
    status: int | None
    answer: Any
    content_type: str
    told: bool


@dataclass
class Fault:
    """One thing that goes wrong, at some calls of a method and path (globs).

    Attributes:
        call, times: from which of those calls on, counted from 1, and how often.
        status: answer so instead; None: as usual.
        html: as a proxy would, not as Hyperstack does.
        lost: hang up instead of answering.
        acts: whether what was asked is done, though it is not answered so.
        delay: seconds that the answer takes.
        do: is called before.
    """

    method: str = "*"
    path: str = "*"
    call: int = 1
    times: int = 1
    status: int | None = None
    message: str = "Told to fail"
    html: bool = False
    lost: bool = False
    acts: bool = False
    delay: float = 0.0
    do: Callable[[], object] | None = None
    seen: int = field(default=0, init=False)

    def hits(self, method: str, path: str) -> bool:
        """Count a call that fits; whether it is one that goes wrong."""
        if not (fnmatchcase(method, self.method) and fnmatchcase(path, self.path)):
            return False
        self.seen += 1
        return self.call <= self.seen < self.call + self.times
