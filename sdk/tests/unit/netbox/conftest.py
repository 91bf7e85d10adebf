# SPDX-License-Identifier: Apache-2.0
"""A NetBox for each test. What was asked and answered is held to contracts/netbox.yaml."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from werkzeug.datastructures import ImmutableMultiDict

from hostler.testing.netbox import Call, FakeNetbox

CONTRACT = Path(__file__).resolve().parents[4] / "contracts" / "netbox.yaml"


@cache
def contract() -> OpenAPI:
    return OpenAPI.from_file_path(str(CONTRACT))


@cache
def parameters(path: str) -> set[str]:
    document = yaml.safe_load(CONTRACT.read_text())
    listed = document["paths"][path.removeprefix("/api")]["get"]["parameters"]
    shared = document["components"]["parameters"]
    return {(shared[p["$ref"].rpartition("/")[2]] if "$ref" in p else p)["name"] for p in listed}


def hold(call: Call) -> None:
    """Check a request and its answer."""
    request = MockRequest(
        "http://netbox.example.com",
        "get",
        call.path,
        args=ImmutableMultiDict(call.query),
        headers={"Authorization": call.keyword} if call.keyword else {},
    )
    contract().validate_request(request)
    assert {name for name, _ in call.query} <= parameters(call.path)
    data = json.dumps(call.body).encode()
    assert call.status is not None
    contract().validate_response(
        request, MockResponse(data, call.status, content_type=call.content_type)
    )


@pytest.fixture(autouse=True)
def cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("NETBOX_URL", "NETBOX_TOKEN", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def netbox() -> Iterator[FakeNetbox]:
    with FakeNetbox() as box:
        yield box
    for call in box.calls:
        hold(call)
