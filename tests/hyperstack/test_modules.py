# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules for Hyperstack: made, again, changed, previewed, removed, refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from integration.conftest import Play, Results, Task
from rigs.hyperstack.furniture import ENV

from hostler.testing.hyperstack import FakeHyperstack

VM: dict[str, Any] = {
    "name": "web-1",
    "environment": ENV,
    "image": "Ubuntu 22.04",
    "flavor": "n3-L40x1",
    "key": "ops",
}
COMMON = {name: value for name, value in VM.items() if name != "name"}
SSH = {"port_range_min": 22}
KEY = "ssh-ed25519 AAAAC3Nza ops@example.com"
ONLY_ONE_DOOR_ADDS = {"invocation", "_ansible_no_log"}
FROM_RUN_TO_RUN = {"id", "created_at", "floating_ip", "fixed_ip", "seconds"}


def task(title: str, module: str, /, *, check: bool = False, **options: Any) -> Task:
    made = {"name": title, f"hostler.fleet.hyperstack_{module}": options, "ignore_errors": True}
    return {**made, "check_mode": True} if check else made


def changes(results: Results) -> dict[str, Any]:
    failed = {name: result["msg"] for name, result in results.items() if result.get("failed")}
    assert failed == {}
    return {name: result["changed"] for name, result in results.items()}


def test_life_of_a_vm(play: Play, fake: FakeHyperstack) -> None:
    full = {**VM, "floating_ip": True, "labels": ["a"], "security_rules": [SSH]}
    life = play(
        [
            task("predicted", "vm", check=True, **full),
            task("created", "vm", **full),
            task("again", "vm", **full),
            task("predicted change", "vm", check=True, **VM, labels=["b"], state="stopped"),
            task("changed", "vm", **VM, labels=["b"], state="stopped"),
            task("changed again", "vm", **VM, labels=["b"], state="stopped"),
            task("info", "vm_info", environment=ENV, extra=["firewalls", "logs"]),
            task("removed", "vm", name="web-1", environment=ENV, state="absent"),
            task("removed again", "vm", name="web-1", environment=ENV, state="absent"),
        ],
        "--diff",
    )
    assert changes(life) == {
        "predicted": True,
        "created": True,
        "again": False,
        "predicted change": True,
        "changed": True,
        "changed again": False,
        "info": False,
        "removed": True,
        "removed again": False,
    }
    for before, after in [("predicted", "created"), ("predicted change", "changed")]:
        assert life[before]["diff"] == life[after]["diff"]
        assert life[before]["plan"]["commands"] == life[after]["plan"]["commands"]
    assert life["created"]["vm"]["status"] == "ACTIVE"
    assert life["created"]["vm"]["floating_ip"].startswith("185.")
    assert life["again"]["vm"] == life["created"]["vm"]
    assert life["changed"]["vm"]["labels"] == ["b"]
    assert "status: ACTIVE" in life["changed"]["diff"]["before"]
    assert "status: SHUTOFF" in life["changed"]["diff"]["after"]
    (seen,) = life["info"]["vms"]
    assert (seen["name"], seen["firewalls"]) == ("web-1", [])
    assert "web-1 boots" in seen["logs"]
    assert (life["removed"]["vm"], life["removed"]["diff"]["after"]) == (None, "")
    assert fake.vms == []


def test_check_mode_sends_nothing_but_reads(play: Play, fake: FakeHyperstack) -> None:
    fake.add_vm("old", ENV, image="Ubuntu 22.04", flavor="n3-L40x1", key="ops")
    fake.add_firewall("guard", ENV)
    predicted = play(
        [
            task("vm", "vm", **VM),
            task("delete", "vm", name="old", environment=ENV, state="absent"),
            task("stop", "vm", name="old", environment=ENV, state="stopped"),
            task("firewall", "firewall", name="new", environment=ENV, rules=[SSH]),
            task("rules", "firewall", name="guard", environment=ENV, rules=[SSH]),
            task("attach", "firewall_attachment", firewall="guard", environment=ENV, vms=["old"]),
            task("environment", "environment", name="lab", region="US-1"),
            task("key", "keypair", name="me", environment=ENV, public_key=KEY),
        ],
        "--check",
    )
    assert all(changes(predicted).values())
    assert {call.method for call in fake.calls} == {"GET"}
    assert not [c for c in fake.calls if c.path.endswith(("start", "stop", "reboot", "hibernate"))]


def test_many_vms(play: Play, fake: FakeHyperstack) -> None:
    names = [f"w{n}" for n in range(6)]
    several = {**COMMON, "vms": [{"name": name} for name in names]}
    several["vms"][5] = {"name": "w5", "flavor": "n3-L40x8", "labels": ["big"]}
    told = play(
        [
            task("made", "vm", **several),
            task("again", "vm", **several),
            task("bad", "vm", **{**several, "vms": [{"name": "w0"}, {"name": "x", "image": "no"}]}),
        ]
    )
    assert [vm["name"] for vm in told["made"]["vms"]] == names
    assert told["made"]["vms"][5]["flavor"]["name"] == "n3-L40x8"
    assert (told["made"]["changed"], told["again"]["changed"]) == (True, False)
    assert told["bad"]["failed"]
    assert told["bad"]["msg"].startswith("1 of 2 failed. x: ")
    assert [item.get("failed", False) for item in told["bad"]["results"]] == [False, True]
    assert len(fake.vms) == 6


def test_life_of_a_firewall(play: Play, fake: FakeHyperstack) -> None:
    for name in ("a", "b"):
        fake.add_vm(name, ENV, image="Ubuntu 22.04", flavor="n3-L40x1")
    other = fake.add_firewall("other", ENV)
    for vm in fake.vms:
        fake.attach(other, vm)
    guard: dict[str, Any] = {"name": "guard", "environment": ENV}
    attach: dict[str, Any] = {"firewall": "guard", "environment": ENV}
    life = play(
        [
            task("predicted", "firewall", check=True, **guard, rules=[SSH]),
            task("created", "firewall", **guard, rules=[SSH]),
            task("again", "firewall", **guard, rules=[SSH]),
            task("changed", "firewall", **guard, rules=[{"port_range_min": 80}]),
            task("would attach", "firewall_attachment", check=True, **attach, vms=["a", "b"]),
            task("attached", "firewall_attachment", **attach, vms=["a", "b"]),
            task("attached again", "firewall_attachment", **attach, vms=["a", "b"]),
            task("exact", "firewall_attachment", **attach, vms=["b"], state="exact"),
            task("info", "firewall_info", environment=ENV),
            task("one", "firewall_info", name="guard"),
            task("detached", "firewall_attachment", **attach, vms=[], state="exact"),
            task("removed", "firewall", **guard, state="absent"),
            task("removed again", "firewall", **guard, state="absent"),
        ],
        "--diff",
    )
    assert changes(life) == {
        "predicted": True,
        "created": True,
        "again": False,
        "changed": True,
        "would attach": True,
        "attached": True,
        "attached again": False,
        "exact": True,
        "info": False,
        "one": False,
        "detached": True,
        "removed": True,
        "removed again": False,
    }
    assert life["predicted"]["diff"] == life["created"]["diff"]
    assert life["would attach"]["diff"] == life["attached"]["diff"]
    assert life["would attach"]["plan"]["commands"] == life["attached"]["plan"]["commands"]
    assert [f["name"] for f in life["info"]["firewalls"]] == ["other", "guard"]
    (one,) = life["one"]["firewalls"]
    assert [a["vm"]["name"] for a in one["attachments"]] == ["b"]
    assert fake.attached("other") == ["a", "b"]


def test_life_of_an_environment_and_a_key(play: Play, fake: FakeHyperstack) -> None:
    lab: dict[str, Any] = {"name": "lab", "region": "US-1"}
    key: dict[str, Any] = {"name": "me", "environment": "lab", "public_key": KEY}
    life = play(
        [
            task("predicted", "environment", check=True, **lab),
            task("made", "environment", **lab),
            task("again", "environment", **lab),
            task("key predicted", "keypair", check=True, **key),
            task("key", "keypair", **key),
            task("key again", "keypair", **key),
            task("info", "environment_info", name="lab", quota=True),
            task("key removed", "keypair", name="me", environment="lab", state="absent"),
            task("key gone", "keypair", name="me", environment="lab", state="absent"),
            task("removed", "environment", name="lab", state="absent"),
            task("gone", "environment", name="lab", state="absent"),
        ],
        "--diff",
    )
    assert [name for name, changed in changes(life).items() if not changed] == [
        "again",
        "key again",
        "info",
        "key gone",
        "gone",
    ]
    assert life["predicted"]["diff"] == life["made"]["diff"]
    assert life["key predicted"]["diff"] == life["key"]["diff"]
    assert life["key"]["keypair"]["public_key"] == KEY
    (info,) = life["info"]["environments"]
    assert (info["keypairs"], info["quota"]["max_vms"]) == (["me"], 100)
    assert [e["name"] for e in fake.environments] == [ENV, "default-NORWAY-1"]


def test_catalogue(play: Play) -> None:
    told = play(
        [
            task("images", "image_info", region="canada-1"),
            task("debian", "image_info", type="debian"),
            task("flavors", "flavor_info", gpu="L40"),
            task("stock", "stock_info", region="CANADA-1"),
            task("regions", "region_info"),
            task("environments", "environment_info"),
        ]
    )
    assert not any(changes(told).values())
    image = told["images"]["images"][0]
    words = {name: image[name] for name in ("name", "region", "size", "type")}
    assert words == {
        "name": "Ubuntu 22.04",
        "region": "CANADA-1",
        "size": "10.0 GB",
        "type": "Ubuntu",
    }
    assert isinstance(image["id"], int)
    assert [i["name"] for i in told["debian"]["images"]] == ["Debian 12"]
    prices = {f["name"]: f["price_per_hour"] for f in told["flavors"]["flavors"]}
    assert prices == {"n3-L40x1": 1.0, "n3-L40x8": 8.0}
    assert told["stock"]["stock"][0]["available"] == "12"
    assert "CANADA-1" in [r["name"] for r in told["regions"]["regions"]]
    assert told["environments"]["environments"][0]["quota"] is None


BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "value of state must be one of": ("vm", {**VM, "state": "dancing"}),
    "mutually exclusive": ("vm", {**VM, "vms": []}),
    "one of the following is required: name, vms": ("vm", {"environment": ENV}),
    "environment: is required": ("vm", {"name": "x"}),
    "there is no image 'none'": ("vm", {**VM, "image": "none"}),
    "there is no environment 'none'": ("vm", {**VM, "environment": "none"}),
    "must be a network": ("vm", {**VM, "security_rules": [{"remote_ip_prefix": "x"}]}),
    "value of protocol must be one of": (
        "firewall",
        {"name": "x", "environment": ENV, "rules": [{"protocol": "x"}]},
    ),
    "missing required arguments: environment": ("firewall", {"name": "x"}),
    "missing required arguments: vms": (
        "firewall_attachment",
        {"firewall": "x", "environment": ENV},
    ),
    "firewall 'none'": (
        "firewall_attachment",
        {"firewall": "none", "environment": ENV, "vms": ["x"]},
    ),
    "a new one needs a region": ("environment", {"name": "x"}),
    "a new one needs public_key": ("keypair", {"name": "x", "environment": ENV}),
    "Unsupported parameters": ("image_info", {"regoin": "x"}),
    "value of extra must be one or more of": ("vm_info", {"extra": ["x"]}),
}


def test_bad_input_is_a_sentence(play: Play, fake: FakeHyperstack) -> None:
    results = play([task(words, module, **options) for words, (module, options) in BAD.items()])
    for words in BAD:
        assert results[words]["failed"], words
        assert words in results[words]["msg"]
        assert "Traceback" not in results[words]["msg"]
    assert fake.vms == []
    assert {call.method for call in fake.calls} == {"GET"}


def test_errors_have_codes(play: Play, fake: FakeHyperstack) -> None:
    fake.add_vm("web-1", ENV, image="Debian 12", flavor="n3-L40x1")
    told = play(
        [
            task("conflict", "vm", **VM),
            task("unreachable", "vm", **VM, hyperstack_url="http://127.0.0.1:1/v1"),
            task("denied", "region_info", hyperstack_api_key="another"),
        ]
    )
    for code, result in told.items():
        assert (result["failed"], result["error"]["code"]) == (True, code)
        assert result["error"]["message"] == result["msg"]


def common(value: Any) -> Any:
    if isinstance(value, dict):
        leave = ONLY_ONE_DOOR_ADDS | FROM_RUN_TO_RUN
        return {k: common(v) for k, v in value.items() if k not in leave}
    return [common(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("door", ["local"], indirect=True)
def test_both_doors_tell_the_same(play: Play, fake: FakeHyperstack) -> None:
    tasks = [
        task("created", "vm", **VM, user_data="#cloud-config"),
        task("again", "vm", **VM),
        task("info", "vm_info"),
        task("removed", "vm", **VM | {"state": "absent"}),
        task("bad", "vm", **VM | {"image": "none"}),
        task("firewall", "firewall", name="x", environment=ENV, rules=[SSH]),
        task("gone", "firewall", name="x", environment=ENV, state="absent"),
    ]
    here = play(tasks, "--diff")
    there = play(tasks, "--diff", ansible_connection="shipped")
    assert _without_ids(common(here)) == _without_ids(common(there))
    assert fake.vms == []


def _without_ids(results: Any) -> Any:
    if isinstance(results, dict):
        return {k: _without_ids(v) for k, v in results.items()}
    if isinstance(results, list):
        return [_without_ids(item) for item in results]
    return re.sub(r"/\d{4}\b", "/N", results) if isinstance(results, str) else results


WORD = "hunter2-in-user-data"


def test_a_secret_is_in_no_output(play: Play, fake: FakeHyperstack, tmp_path: Path) -> None:
    seed = f"#cloud-config\npassword: {WORD}\n"
    fake.fail("POST", "/core/virtual-machines", 400, message=f"bad {fake.api_key}")
    told = play(
        [
            task("refused", "vm", **VM, user_data=seed),
            task("created", "vm", **VM, user_data=seed),
            task("again", "vm", **VM, user_data=seed),
            task(
                "several",
                "vm",
                **COMMON,
                vms=[{"name": "two", "user_data": seed}],
            ),
            task("keyed", "region_info", hyperstack_api_key=str(fake.api_key)),
            task("bad", "vm", **VM, user_data=seed, hyperstack_api_key=f"{fake.api_key} x"),
        ],
        "-vvvv",
        "--diff",
    )
    assert told["refused"]["failed"]
    assert "bad **********" in told["refused"]["msg"]
    assert told["created"]["vm"]["status"] == "ACTIVE"
    assert fake.vms[0]["_user_data"] == seed
    written = [p for p in tmp_path.rglob("*") if p.is_file() and p.name != "play.yml"]
    assert {"output.txt", "journal.db", "results.jsonl"} <= {path.name for path in written}
    for path in written:
        data = path.read_bytes()
        assert str(fake.api_key).encode() not in data, path.name
        assert WORD.encode() not in data, path.name


@pytest.mark.parametrize("door", ["local"])
def test_results_are_held_to_the_documentation(play: Play, tmp_path: Path) -> None:
    """What no callback wrote down could not be compared, and nobody would know."""
    play([{**task("one", "region_info"), "loop": [1, 2]}, task("two", "stock_info")])
    told = [json.loads(line)[0] for line in (tmp_path / "modules.jsonl").read_text().splitlines()]
    assert told == ["hyperstack_region_info", "hyperstack_region_info", "hyperstack_stock_info"]
