# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds requests and answers to contracts/hyperstack.yaml."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from werkzeug.datastructures import ImmutableMultiDict

from hostler.testing.hyperstack import Call

CONTRACT = Path(__file__).resolve().parents[3] / "contracts" / "hyperstack.yaml"


@cache
def contract() -> OpenAPI:
    return OpenAPI.from_file_path(str(CONTRACT))


@cache
def document() -> dict[str, Any]:
    return dict(yaml.safe_load(CONTRACT.read_text()))


_held: set[str] = set()
_NUMBER = re.compile(r"\d+")


def hold(calls: Iterable[Call]) -> None:
    """Check what was asked and answered; once what differs only in the numbers of answers."""
    for call in calls:
        asked = json.dumps([call.method, call.query, call.body, call.keyed, call.told])
        told = json.dumps([call.path, call.status, call.content_type, call.answer])
        key = asked + _NUMBER.sub("0", told)
        if key not in _held:
            hold_one(call)
            _held.add(key)


def hold_one(call: Call) -> None:
    """Check a request and, unless it was made to be wrong, its answer."""
    path = _template(call.path)
    request = MockRequest(
        "http://hyperstack.example.com",
        call.method.lower(),
        f"/v1{call.path}",
        path_pattern=f"/v1{path}",
        view_args=_words(path, call.path),
        args=ImmutableMultiDict(call.query),
        headers={"api_key": "****"} if call.keyed else {},
        data=None if call.body is None else json.dumps(call.body).encode(),
        content_type="application/json",
    )
    contract().validate_request(request)
    assert set(call.query) <= _known(path, call.method.lower()), call
    if call.told:
        return
    data = json.dumps(call.answer).encode()
    assert call.status is not None
    answer = MockResponse(data, call.status, content_type=call.content_type)
    contract().validate_response(request, answer)


def _template(path: str) -> str:
    """Return the contract's path that a path is of; one without a variable comes first."""
    found = [t for t in document()["paths"] if _words(t, path) is not None]
    assert found, f"{path} is not in the contract"
    return str(min(found, key=lambda template: template.count("{")))


def _words(template: str, path: str) -> dict[str, str] | None:
    parts, words = template.split("/"), path.split("/")
    if len(parts) != len(words):
        return None
    taken = {}
    for part, word in zip(parts, words, strict=True):
        if part.startswith("{"):
            taken[part.strip("{}")] = word
        elif part != word:
            return None
    return taken


@cache
def _known(path: str, method: str) -> set[str]:
    """Return the query parameters that an operation has."""
    shared = document()["components"]["parameters"]
    listed = document()["paths"][path][method].get("parameters", ())
    named = [shared[p["$ref"].rpartition("/")[2]] if "$ref" in p else p for p in listed]
    return {p["name"] for p in named if p["in"] == "query"}
