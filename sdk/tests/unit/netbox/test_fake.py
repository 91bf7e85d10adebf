# SPDX-License-Identifier: Apache-2.0
"""The NetBox to test with behaves as the real one does, the traps included."""

from __future__ import annotations

from typing import Any

import pynetbox
import pytest
import requests
from openapi_core.exceptions import OpenAPIError

from hostler.testing.netbox import Call, FakeNetbox

from .conftest import hold


def get(box: FakeNetbox, path: str, token: str | None = "", **options: Any) -> requests.Response:
    headers = {} if token is None else {"Authorization": f"Token {token or box.token}"}
    options = {"headers": headers, "allow_redirects": False, **options}
    return requests.get(f"{box.url}/api/{path}", timeout=5, **options)


@pytest.fixture
def full() -> Any:
    with FakeNetbox(max_page_size=70) as box:
        for number in range(120):
            box.add_device(f"GPU-{number}", site="CA1" if number % 2 else "NO1")
        yield box


@pytest.mark.parametrize(
    ("query", "rows", "count"),
    [
        ("", 50, 120),
        ("limit=0", 70, 120),
        ("limit=1000", 70, 120),
        ("limit=7", 7, 120),
        ("limit=x", 50, 120),
        ("limit=50&offset=100", 20, 120),
        ("offset=500", 0, 120),
        ("name=gpu-1", 1, 1),
        ("name=gpu-1&name=GPU-2&name=none", 2, 2),
        ("name=", 50, 120),
        ("name__in=gpu-1", 50, 120),
        ("nmae=gpu-1", 50, 120),
        ("site=ca1", 50, 60),
        ("site=ca1&name=gpu-1&name=gpu-2", 1, 1),
        ("site_id=1&status=active&limit=3", 3, 60),
        ("status=failed", 0, 0),
        ("id=1&id=2", 2, 2),
    ],
)
def test_filters_and_pages(full: FakeNetbox, query: str, rows: int, count: int) -> None:
    answer = get(full, f"dcim/devices/?{query}")
    assert answer.status_code == 200
    assert (len(answer.json()["results"]), answer.json()["count"]) == (rows, count)


def test_pages_lead_to_each_other(full: FakeNetbox) -> None:
    url, names = f"{full.url}/api/dcim/devices/?site=ca1&limit=25", []
    while url:
        page = requests.get(url, headers={"Authorization": f"Token {full.token}"}, timeout=5).json()
        names += [row["name"] for row in page["results"]]
        last, url = page, page["next"]
    assert names == [f"GPU-{n}" for n in range(1, 120, 2)]
    assert last["previous"].startswith(f"{full.url}/api/dcim/devices/?site=ca1&limit=25&offset=25")


def test_what_is_asked_for_is_shown(full: FakeNetbox) -> None:
    (row,) = get(full, "dcim/devices/?name=gpu-1&fields=id,name").json()["results"]
    assert set(row) == {"id", "name"}
    (row,) = get(full, "dcim/devices/?name=gpu-1").json()["results"]
    assert "config_context" in row
    for less in ("exclude=config_context", "omit=config_context,tags"):
        (row,) = get(full, f"dcim/devices/?name=gpu-1&{less}").json()["results"]
        assert "config_context" not in row
    assert get(full, "dcim/devices/3/").json()["name"] == "GPU-2"


@pytest.mark.parametrize(
    ("path", "token", "status", "body"),
    [
        ("dcim/devices/", None, 403, {"detail": "Authentication credentials were not provided."}),
        ("dcim/devices/", "f" * 40, 403, {"detail": "Invalid v1 token"}),
        ("dcim/devices/", "nbt_a.b", 403, {"detail": "Invalid v2 token"}),
        ("dcim/devices/77/", "", 404, {"detail": "Not found."}),
        ("dcim/nothing/", "", 404, {"detail": "Not found."}),
        ("dcim/devices/?site=x", "", 400,
         {"site": ["Select a valid choice. x is not one of the available choices."]}),
    ],
)  # fmt: skip
def test_refusals(path: str, token: str | None, status: int, body: dict[str, Any]) -> None:
    with FakeNetbox() as box:
        answer = get(box, path, token)
        assert (answer.status_code, answer.json()) == (status, body)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_errors_are_as_the_contract_has_them(netbox: FakeNetbox, status: int) -> None:
    netbox.fail(status)
    assert get(netbox, "dcim/devices/").status_code == status
    assert get(netbox, "tenancy/tenants/?id=1", "f" * 40).status_code == 403
    assert get(netbox, "dcim/devices/?site=x").status_code == 400


@pytest.mark.parametrize(
    "call",
    [
        Call("/api/dcim/devices/", [("name", "a")], "", 403, {"detail": "x"}, "application/json"),
        Call(
            "/api/dcim/devices/", [("nam", "a")], "Token", 403, {"detail": "x"}, "application/json"
        ),
        Call(
            "/api/dcim/devices/", [("name", "")], "Token", 403, {"detail": "x"}, "application/json"
        ),
        Call(
            "/api/tenancy/tenants/",
            [("id", "0")],
            "Token",
            403,
            {"detail": "x"},
            "application/json",
        ),
        Call("/api/dcim/devices/", [], "Token", 200, {"results": []}, "application/json"),
        Call("/api/dcim/devices/", [], "Token", 403, {"what": "x"}, "application/json"),
        Call("/api/dcim/devices/", [], "Token", 200, "<html>", "text/html"),
        Call("/api/dcim/sites/", [], "Token", 403, {"detail": "x"}, "application/json"),
    ],
    ids=str,
)
def test_the_contract_refuses_what_is_not_in_it(call: Call) -> None:
    with pytest.raises((OpenAPIError, AssertionError, KeyError)):
        hold(call)


def test_a_missing_slash_is_sent_on() -> None:
    with FakeNetbox() as box:
        answer = get(box, "dcim/devices?name=a")
        assert answer.status_code == 301
        assert answer.headers["Location"] == "/api/dcim/devices/?name=a"
        assert get(box, "dcim/devices?name=a", allow_redirects=True).json()["count"] == 0


@pytest.mark.parametrize(
    ("version", "token", "header", "status"),
    [
        ("4.5.2", "nbt_a.b", "Bearer nbt_a.b", 200),
        ("4.5.2", "nbt_a.b", "Token nbt_a.b", 200),
        ("4.5.2", "c" * 40, "Bearer " + "c" * 40, 200),
        ("4.4.0", "c" * 40, "Token " + "c" * 40, 200),
        ("4.4.0", "c" * 40, "Bearer " + "c" * 40, 403),
        ("4.5.2", "c" * 40, "Basic " + "c" * 40, 403),
    ],
)
def test_tokens(version: str, token: str, header: str, status: int) -> None:
    with FakeNetbox(version=version, token=token) as box:
        answer = get(box, "status/", headers={"Authorization": header})
        assert answer.status_code == status
        assert answer.headers["API-Version"] == version[:3]
        assert answer.headers["X-Request-ID"]
        assert status != 200 or answer.json() == {"netbox-version": version}


def test_what_a_release_has() -> None:
    with FakeNetbox(version="4.0.1") as old, FakeNetbox() as new:
        for box in (old, new):
            box.add_device("a", tenant="Acme")
        before, now = (get(b, "dcim/devices/").json()["results"][0] for b in (old, new))
        assert set(now) - set(before) == {"owner", "display_url"}
        assert "group" not in now["tenant"]
        assert get(old, "users/owners/").status_code == 404
        assert get(new, "users/owners/").json()["count"] == 0


def test_every_device_has_every_custom_field(netbox: FakeNetbox) -> None:
    netbox.add_device(None)
    netbox.add_device("b", custom_fields={"NVLinks": True})
    rows = get(netbox, "dcim/devices/").json()["results"]
    assert [(row["name"], row["custom_fields"]) for row in rows] == [
        (None, {"NVLinks": None}),
        ("b", {"NVLinks": True}),
    ]


def test_it_fails_when_told_to() -> None:
    with FakeNetbox() as box:
        box.fail(503, call=2, times=2, headers={"Retry-After": "9"})
        box.fail(200, "<html>", call=4)
        answers = [get(box, "dcim/devices/") for _ in range(5)]
        assert [a.status_code for a in answers] == [200, 503, 503, 200, 200]
        assert answers[1].headers["Retry-After"] == "9"
        assert answers[3].headers["Content-Type"].startswith("text/html")
        box.fail(None)
        with pytest.raises(requests.ConnectionError):
            get(box, "dcim/devices/")
        assert [call.status for call in box.calls] == [200, 503, 503, 200, 200, None]
    with pytest.raises(requests.ConnectionError):
        get(box, "dcim/devices/")


def test_pynetbox_takes_it_for_real() -> None:
    with FakeNetbox(max_page_size=2) as box:
        box.add_tenant("Acme", group="Investors")
        numbers = [box.add_device(f"gpu-{n}", tenant="Acme") for n in range(5)]
        api = pynetbox.api(box.url, token=box.token)
        assert api.status() == {"netbox-version": box.version}
        assert [device.name for device in api.dcim.devices.all()] == [f"gpu-{n}" for n in range(5)]
        assert api.dcim.devices.count(site="site-a") == 5
        assert api.dcim.devices.get(numbers[3]).name == "gpu-3"
        assert api.dcim.devices.get(name="gpu-2").tenant.group.name == "Investors"
        assert api.dcim.devices.get(77) is None
