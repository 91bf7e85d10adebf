# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reaches the SDK of a task's arguments."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible_collections.hostler.fleet.plugins.module_utils import _module, _vm
from ansible_collections.hostler.fleet.plugins.plugin_utils._action import plain


def tagged(text: str) -> Any:
    """Load YAML as Ansible does: each value carries a tag with its origin."""
    return DataLoader().load(text)


def test_tagged_values_become_plain() -> None:
    loaded = tagged("{a: [1, text, 2.5, true, null], b: {c: 2026-01-31}}")
    value = plain(loaded)
    assert value == {"a": [1, "text", 2.5, True, None], "b": {"c": "2026-01-31"}}
    kinds = {type(item) for item in value["a"]} | {type(value), type(value["b"]["c"])}
    assert kinds == {int, str, float, bool, type(None), dict}
    with pytest.raises(yaml.representer.RepresenterError):
        yaml.safe_dump(loaded)  # what plain() is there for
    assert yaml.safe_load(yaml.safe_dump(value)) == value


def test_dates_are_what_json_makes_of_them() -> None:
    assert plain({"since": date(2026, 1, 31)}) == {"since": "2026-01-31"}


def test_only_what_was_given_is_passed_on() -> None:
    spec = {
        "name": {"type": "str"},
        "title": {"type": "str"},
        "labels": {"type": "dict"},
        "disks": {"type": "list", "options": {"size": {}, "cache": {}}},
        "cpu": {"type": "dict", "options": {"mode": {}}},
    }
    params = {
        "name": "one",
        "title": None,
        "labels": {"empty": None},
        "disks": [{"size": "1GiB", "cache": None}],
        "cpu": {"mode": None},
        "uri": "test:///default",
    }
    assert _module.given(params, spec) == {
        "name": "one",
        "labels": {"empty": None},
        "disks": [{"size": "1GiB"}],
        "cpu": {},
    }


def test_cloud_init_mappings_become_text() -> None:
    seed = {"user_data": {"hostname": "web"}, "network_config": {"version": 2}, "hostname": "web"}
    args = {"cloud_init": seed, "vms": [{"name": "a", "cloud_init": {"user_data": "#!/bin/sh"}}]}
    assert _vm.prepare(args) == {
        "cloud_init": {
            "user_data": "#cloud-config\nhostname: web\n",
            "network_config": "version: 2\n",
            "hostname": "web",
        },
        "vms": [{"name": "a", "cloud_init": {"user_data": "#!/bin/sh"}}],
    }
    assert seed["user_data"] == {"hostname": "web"}


@pytest.mark.parametrize("args", [{}, {"vms": "text"}, {"cloud_init": "text"}, {"vms": ["text"]}])
def test_arguments_of_other_kinds_are_left_for_the_check(args: dict[str, Any]) -> None:
    assert _vm.prepare(args) == args
