# SPDX-License-Identifier: Apache-2.0
"""The Hyperstack to test with: it is held to the contract, and can be made to fail as told."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import starmap
from pathlib import Path
from typing import Any

import pytest
import requests
from openapi_core.exceptions import OpenAPIError
from rigs.hyperstack.contract import CONTRACT, document, hold_one
from rigs.hyperstack.furniture import furnish

from hostler import Fleet
from hostler.testing.hyperstack import Call, FakeHyperstack, Hooks, Row

from .conftest import ENV, NEW

VMS = "/core/virtual-machines"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "ignored_auth",
)
OPTIONS = [
    *("--phases", "coverage,fuzzing"),
    *("--checks", ",".join(CHECKS)),
    *("--max-examples", "8"),
    *("--workers", "2"),
    *("--seed", "1"),
    "--no-color",
]
SETTINGS = """
[[operations]]
include-path-regex = "^/core/{}/[{{]id[}}]"
parameters = {{ "path.id" = {} }}
"""


def ask(fake: FakeHyperstack, path: str, method: str = "GET", **more: Any) -> requests.Response:
    headers = {"api_key": str(fake.api_key)}
    return requests.request(method, f"{fake.url}{path}", headers=headers, timeout=5, **more)


def made(fake: FakeHyperstack, name: str = "a", **more: Any) -> Row:
    return fake.add_vm(name, ENV, image="Ubuntu 22.04", flavor="n3-L40x1", key="ops", **more)


# Held to the contract


@pytest.mark.slow
def test_schemathesis(tmp_path: Path) -> None:
    """Requests made of the contract, good ones and bad ones, are answered as it says."""
    with FakeHyperstack() as fake:
        furnish(fake)
        vm = made(fake, callback_url="https://example.com")
        fake.attach(fake.add_firewall("guard", ENV, [{}]), vm)
        settings = tmp_path / "schemathesis.toml"
        ids = {"virtual-machines": vm["id"], "firewalls": fake.firewalls[0]["id"]}
        settings.write_text("\n".join(starmap(SETTINGS.format, ids.items())))
        command: list[str | Path] = [
            Path(sys.executable).with_name("schemathesis"),
            "--config-file",
            settings,
        ]
        command += ["run", CONTRACT, "--url", fake.url, "--header", f"api_key: {fake.api_key}"]
        done = subprocess.run(
            [*command, *OPTIONS], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        asked = {(c.method, c.path.split("/")[2]) for c in fake.calls if c.path.count("/") > 1}
        assert len(fake.calls) > 200
        assert {("POST", "virtual-machines"), ("DELETE", "firewalls")} <= asked


def test_every_operation_of_the_contract_is_there(fake: FakeHyperstack) -> None:
    for path, operations in document()["paths"].items():
        for method in operations:
            if method != "parameters":
                concrete = path.replace("{id}", "0").replace("{rule}", "0").replace("{name}", "x")
                answer = ask(fake, concrete, method.upper())
                assert "URL" not in answer.text, (method, path, answer.text)
    fake.calls.clear()


GOOD = {"status": True, "message": "x"}


@pytest.mark.parametrize(
    "call",
    [
        Call("GET", "/core/nothing", {}, None, True, 200, GOOD, "application/json", False),
        Call("GET", VMS, {"pagesize": "1"}, None, True, 200, GOOD, "application/json", False),
        Call("GET", VMS, {}, None, True, 200, GOOD, "application/json", False),
        Call("GET", VMS, {}, None, False, 400, {"message": "x"}, "application/json", False),
        Call("GET", VMS, {}, None, True, 200, "<html>", "text/html", False),
        Call("GET", VMS, {}, None, True, 500, {"what": "x"}, "application/json", False),
        Call("GET", VMS, {"pageSize": "0"}, None, True, 500, GOOD, "application/json", False),
        Call("POST", VMS, {}, {"name": "x"}, True, 200, GOOD, "application/json", False),
        Call("PUT", f"{VMS}/1/label", {}, {}, True, 200, GOOD, "application/json", False),
        Call(
            "PUT", f"{VMS}/x/label", {}, {"labels": []}, True, 200, GOOD, "application/json", False
        ),
    ],
    ids=str,
)
def test_the_contract_refuses_what_is_not_in_it(call: Call) -> None:
    with pytest.raises((OpenAPIError, AssertionError)):
        hold_one(call)


# As Hyperstack does


def test_who_may_ask(fake: FakeHyperstack) -> None:
    assert requests.get(f"{fake.url}/core/regions", timeout=5).status_code == 401
    assert ask(fake, "/core/regions").status_code == 200
    fake.revoke()
    answer = ask(fake, "/core/regions")
    assert (answer.status_code, answer.json()["error_reason"]) == (401, "unauthorized")
    fake.calls.clear()  # the first one is not as the contract says


def test_pages(fake: FakeHyperstack) -> None:
    for n in range(25):
        made(fake, f"a{n}")
    first = ask(fake, VMS).json()
    assert (len(first["instances"]), first["count"], first["page"]) == (10, 25, None)
    last = ask(fake, f"{VMS}?page=3&pageSize=10").json()
    assert [vm["name"] for vm in last["instances"]] == [f"a{n}" for n in range(20, 25)]
    assert ask(fake, f"{VMS}?page=9&pageSize=10").json()["instances"] == []
    part = ask(fake, f"{VMS}?environment=default").json()
    assert part["count"] == 25


def test_limit(fake: FakeHyperstack) -> None:
    fake.rate_limit = 2
    assert [ask(fake, "/core/regions").status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("status", ["CREATING", "BUILD", "DELETING", "ACTIVE", "ERROR"])
def test_deletion(fake: FakeHyperstack, status: str) -> None:
    vm = made(fake, status=status)
    answer = ask(fake, f"{VMS}/{vm['id']}", "DELETE")
    expected = {"CREATING": 400, "BUILD": 400, "DELETING": 409}
    assert answer.status_code == expected.get(status, 200)


def test_faults(fake: FakeHyperstack) -> None:
    fake.fail("GET", "/core/regions", 503, call=2, times=2)
    assert [ask(fake, "/core/regions").status_code for _ in range(4)] == [200, 503, 503, 200]
    fake.lose("GET", "/core/regions")
    with pytest.raises(requests.ConnectionError):
        ask(fake, "/core/regions")
    fake.slow("GET", "/core/regions", seconds=0.2)
    began = time.monotonic()
    ask(fake, "/core/regions")
    assert time.monotonic() - began > 0.2
    fake.fail("GET", "/core/regions", 502, html=True)
    assert ask(fake, "/core/regions").headers["Content-Type"] == "text/html"


def test_a_firewall_does_not_serve_other_environments(fake: FakeHyperstack) -> None:
    vm, firewall = made(fake), fake.add_firewall("x", "default-NORWAY-1")
    body = {"firewalls": [firewall["id"]]}
    assert ask(fake, f"{VMS}/{vm['id']}/attach-firewalls", "POST", json=body).status_code == 400


# Bound to something real


def test_hooks(fleet: Fleet, fake: FakeHyperstack) -> None:
    real: dict[str, str] = {}
    looks = iter(["BUILD", None, "BUILD", "ACTIVE"])

    def create(vm: Row) -> None:
        real[vm["name"]] = "there"

    def delete(vm: Row) -> None:
        del real[vm["name"]]

    fake.hooks = Hooks(create, delete, lambda _vm: next(looks, "ACTIVE"))
    (result,) = fleet.hyperstack.vms.run([NEW])
    assert result.error is None
    assert real == {"web-1": "there"}
    fleet.hyperstack.vms.run([{**NEW, "state": "absent"}])
    assert real == {}
    fake.hooks = Hooks(status_of=lambda _vm: "ERROR")
    (result,) = fleet.hyperstack.vms.run([NEW])
    assert "it went into ERROR" in str(result.error)
