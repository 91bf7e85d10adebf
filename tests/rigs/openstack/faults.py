# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
r"""What a test may have the fault proxy do, and how it tells it to.

faults = Faults()
faults.set(Rule("nova", "POST", r"/os-aggregates/\d+/action", body="add_host", action="lose"))
...  # the program under test uses the cloud `box-proxied`
assert faults.fired() == [1]
assert faults.counts()["nova"] == 4
"""

from __future__ import annotations

import http.client
import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from rigs.openstack.layout import PROXY_CONTROL_PORT

Action = Literal["pass", "refuse", "answer", "lose"]


@dataclass(frozen=True)
class Rule:
    """What happens to some requests; of several rules that fire, the first decides.

    Attributes:
        service: keystone, nova, placement, neutron or glance.
        method: GET, POST...; empty: any.
        path: a regular expression, searched in path and query.
        body: a regular expression, searched in the request's body: `add_host`.
        nth: the first request that the rule fires on, of those that match (1 and up).
        times: how many requests it fires on from there; 0: all.
        action: `pass` forwards; `refuse` closes the connection before anything took effect;
            `answer` answers itself; `lose` forwards, then closes the connection unanswered.
        status: the answer's status, for `answer`.
        text: the answer's body, for `answer`.
        headers: the answer's headers, for `answer`: {"Retry-After": "1"}.
        delay: seconds between the request's effect and its answer or end.
        hold: a file. The proxy creates it before the request takes effect and waits until it is
            removed: the test can boot a server, or kill the program, at exactly this point.
    """

    service: str
    method: str = ""
    path: str = ""
    body: str = ""
    nth: int = 1
    times: int = 1
    action: Action = "pass"
    status: int = 503
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hold: str = ""


@dataclass(frozen=True)
class Request:
    """A request that the proxy saw; `status` is what came back, 0 for no answer."""

    service: str
    method: str
    path: str
    status: int
    action: Action


class Faults:
    """Speaks with the rig's proxy. Setting rules forgets the requests and counts so far."""

    def set(self, *rules: Rule) -> None:
        """Replace all rules."""
        self._call("PUT", "/rules", [asdict(rule) for rule in rules])

    def clear(self) -> None:
        """Pass everything, and count from nothing."""
        self.set()

    def fired(self) -> list[int]:
        """How often each rule has fired, in their order."""
        return [int(count) for count in self._call("GET", "/fired")]

    def requests(self) -> list[Request]:
        """The requests since the rules were set, in the order of their end."""
        return [Request(**request) for request in self._call("GET", "/requests")]

    def counts(self) -> Counter[str]:
        """The number of requests to each service since the rules were set."""
        return Counter(request.service for request in self.requests())

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", PROXY_CONTROL_PORT, timeout=10)
        try:
            connection.request(method, path, json.dumps(body))
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise ValueError(f"fault proxy: {text}")
        return json.loads(text)
