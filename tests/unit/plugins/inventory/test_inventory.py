# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the VMs that were read: names, filters, addresses, groups."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hostler.fleet.plugins.plugin_utils._inventory import (
    Choices,
    Row,
    check_hostnames,
    entries,
    groups_of,
    hostname,
    parse_networks,
    pick_address,
)


def vm(name: str = "web1", **more: Any) -> Row:
    basic = {"name": name, "uuid": f"uuid-of-{name}", "status": "running"}
    return {**basic, "uri": "qemu+ssh://kvm1/system", "host": "kvm1", **more}


def host(*vms: Row) -> Row:
    return {"uri": "qemu+ssh://kvm1/system", "host": "kvm1", "error": None, "vms": list(vms)}


def names(choices: Choices, *vms: Row) -> list[str]:
    return [entry.name for entry in entries([host(*vms)], choices)[0]]


@pytest.mark.parametrize(
    ("preferences", "expected"),
    [
        (["name"], "web1"),
        (["uuid"], "uuid-of-web1"),
        (["title", "name"], "web1"),
        (["label:fqdn", "name"], "web1.example.com"),
        (["label:none", "label:fqdn"], "web1.example.com"),
        (["label:none"], "web1"),
    ],
)
def test_the_first_name_that_a_vm_has_is_taken(preferences: list[str], expected: str) -> None:
    assert hostname(vm(labels={"fqdn": "web1.example.com"}), preferences) == expected


def test_vms_of_one_name_are_told_apart_and_warned_about() -> None:
    hosts = [host(vm("web"), vm("db")), host(vm("web", host="kvm2", uuid="other"))]
    made, warnings = entries(hosts, Choices())
    assert [entry.name for entry in made] == ["web@kvm1", "db", "web@kvm2"]
    assert [entry.vm["host"] for entry in made] == ["kvm1", "kvm1", "kvm2"]
    (warning,) = warnings
    assert "2 VMs have the name 'web'" in warning
    assert "'web@kvm1'" in warning


def test_one_name_on_one_host_is_told_apart_by_uuid() -> None:
    vms = [vm("a", labels={"role": "web"}), vm("b", labels={"role": "web"})]
    choices = Choices(hostnames=["label:role"])
    assert names(choices, *vms) == ["web@uuid-of-a", "web@uuid-of-b"]


def test_one_host_reached_by_two_uris_is_told_apart_by_uri() -> None:
    assert names(Choices(), vm(uri="qemu:///system"), vm(uri="qemu+tcp://kvm1/system")) == [
        "web1@qemu:///system",
        "web1@qemu+tcp://kvm1/system",
    ]


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (Choices(), ["web1", "web2", "db"]),
        (Choices(exclude_names=["web*"]), ["db"]),
        (Choices(labels={"role": "web"}), ["web1"]),
        (Choices(labels={"role": "*"}), ["web1", "db"]),
        (Choices(labels={"role": "*", "stage": "prod"}), ["db"]),
        (Choices(exclude_labels={"role": "web"}), ["web2", "db"]),
        (Choices(exclude_labels={"role": "*"}), ["web2"]),
        (Choices(labels={"role": "*"}, exclude_names=["db"]), ["web1"]),
    ],
)
def test_filters(choices: Choices, expected: list[str]) -> None:
    vms = [
        vm("web1", labels={"role": "web"}),
        vm("web2"),
        vm("db", labels={"role": "db", "stage": "prod"}),
    ]
    assert names(choices, *vms) == expected


ADDRESSES = {
    "lease": ["2001:db8::1", "192.168.122.7", "192.168.122.8"],
    "agent": ["10.0.0.7"],
    "arp": None,
}


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (Choices(), "10.0.0.7"),
        (Choices(address_sources=["lease", "agent"]), "192.168.122.7"),
        (Choices(address_sources=["arp", "lease"]), "192.168.122.7"),
        (Choices(address_sources=["arp"]), None),
        (Choices(address_family="ipv6"), "2001:db8::1"),
        (Choices(address_family="ipv6", address_sources=["agent"]), None),
        (Choices(address_networks=parse_networks(["192.168.0.0/16"])), "192.168.122.7"),
        (
            Choices(address_networks=parse_networks(["2001:db8::/32", "10.0.0.0/8"])),
            "2001:db8::1",
        ),
        (Choices(address_networks=parse_networks(["172.16.0.0/12"])), None),
    ],
)
def test_the_address_follows_the_preferences(choices: Choices, expected: str | None) -> None:
    assert pick_address(vm(addresses=ADDRESSES), choices) == expected


def test_a_vm_that_has_no_addresses_gets_none() -> None:
    assert pick_address(vm(), Choices()) is None


def test_a_network_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        parse_networks(["10.0.0.1/8"])


def test_hostnames_are_checked() -> None:
    check_hostnames(["name", "uuid", "title", "label:fqdn"])


@pytest.mark.parametrize("preference", ["", "fqdn", "label", "label:", "name:x", "hostler_vm.name"])
def test_an_unknown_hostname_is_named(preference: str) -> None:
    with pytest.raises(ValueError, match=f"hostnames: '{preference}'"):
        check_hostnames([preference])


def test_groups() -> None:
    labels = {"role": "web", "stage": "prod"}
    kinds = ["status", "host", "os_type", "labels"]
    assert groups_of(vm(labels=labels), kinds) == [
        "status_running",
        "host_kvm1",
        "label_role_web",
        "label_stage_prod",
    ]
    assert groups_of(vm(labels=labels), []) == []
