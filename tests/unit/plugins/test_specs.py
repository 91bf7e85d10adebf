# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three views of one thing: a module's documentation, its argument spec, the SDK's models."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import types
import typing
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hostler.fleet.plugins.module_utils import (
    _aggregate_migration,
    _alert,
    _gpu_info,
    _gpu_pool,
    _host,
    _host_maintenance,
    _hyperstack_catalogue,
    _hyperstack_firewall,
    _hyperstack_launch,
    _hyperstack_vm,
    _journal,
    _metrics,
    _module,
    _network,
    _openstack_info,
    _openstack_port,
    _storage,
    _vm,
    _vm_batch,
    _vm_console,
    _vm_info,
    _vm_log,
    _vm_migrate,
    _vm_snapshot,
    _vm_spec,
)
from pydantic import AwareDatetime, BaseModel, BeforeValidator, SecretStr

from hostler.models.gpu_pool import GpuPoolTask
from hostler.models.host import HostTask
from hostler.models.host_maintenance import HostMaintenanceTask
from hostler.models.host_view import HostField
from hostler.models.hyperstack_task import (
    AttachmentTask,
    EnvironmentTask,
    FirewallTask,
    HyperstackVmQuery,
    HyperstackVmTask,
    KeypairTask,
)
from hostler.models.launch import LaunchTask
from hostler.models.libvirt_network import NetworkTask
from hostler.models.log import LogQuery
from hostler.models.metrics import MetricsQuery
from hostler.models.migration import MigrationTask
from hostler.models.network import PortTask
from hostler.models.size import parse_size
from hostler.models.storage import StoragePoolTask, StorageVolumeTask
from hostler.models.vm import VmSpec
from hostler.models.vm_migration import VmMigrationTask
from hostler.models.vm_task import Operation, SnapshotTask, VmOptions, VmQuery

ROOT = Path(__file__).resolve().parents[3]
COLLECTIONS = Path(_module.__file__).parents[5]
MODULES = {
    "vm": _vm.MODULE,
    "vm_info": _vm_info.MODULE,
    "vm_metrics_info": _metrics.VMS,
    "vm_migrate": _vm_migrate.MODULE,
    "vm_snapshot": _vm_snapshot.MODULE,
    "vm_batch": _vm_batch.MODULE,
    "vm_console_info": _vm_console.MODULE,
    "vm_log_info": _vm_log.MODULE,
    "aggregate_info": _gpu_info.AGGREGATES,
    "aggregate_migration": _aggregate_migration.MODULE,
    "aggregate_target_info": _gpu_info.TARGET,
    "alert_info": _alert.INFO,
    "command_log": _journal.CLEAR,
    "command_log_info": _journal.COMMAND_LOG,
    "fleet_info": _host.STATS,
    "gpu_pool": _gpu_pool.MODULE,
    "host": _host.HOST,
    "host_info": _host.INFO,
    "host_maintenance": _host_maintenance.MODULE,
    "host_metrics_info": _metrics.HOSTS,
    "hyperstack_launch": _hyperstack_launch.MODULE,
    "hyperstack_environment": _hyperstack_catalogue.ENVIRONMENT,
    "hyperstack_environment_info": _hyperstack_catalogue.ENVIRONMENTS,
    "hyperstack_firewall": _hyperstack_firewall.FIREWALL,
    "hyperstack_firewall_attachment": _hyperstack_firewall.ATTACHMENT,
    "hyperstack_firewall_info": _hyperstack_firewall.INFO,
    "hyperstack_flavor_info": _hyperstack_catalogue.FLAVORS,
    "hyperstack_image_info": _hyperstack_catalogue.IMAGES,
    "hyperstack_keypair": _hyperstack_catalogue.KEYPAIR,
    "hyperstack_region_info": _hyperstack_catalogue.REGIONS,
    "hyperstack_stock_info": _hyperstack_catalogue.STOCK,
    "hyperstack_vm": _hyperstack_vm.VM,
    "hyperstack_vm_info": _hyperstack_vm.INFO,
    "network": _network.NETWORK,
    "network_info": _network.NETWORKS,
    "openstack_network_info": _openstack_info.NETWORKS,
    "openstack_server_info": _openstack_info.SERVERS,
    "openstack_server_port": _openstack_port.MODULE,
    "plan_info": _journal.PLANS,
    "storage_pool": _storage.POOL,
    "storage_pool_info": _storage.POOLS,
    "storage_volume": _storage.VOLUME,
    "storage_volume_info": _storage.VOLUMES,
}
KINDS = {
    **dict.fromkeys((SecretStr, AwareDatetime, str), "str"),
    int: "int",
    float: "float",
    bool: "bool",
    dict: "dict",
}
SCALARS = {"bool", "float", "int", "str"}
KEYWORDS = {"environment", "async", "become"}
"""Of tasks: C() is right for them, whatever options have these names."""
OTHER_SPELLINGS = {"cpu_cores", "memory_mb", "memory_gb", "disk_gb", "storage_gb"}
IN_ONE_WORD = {"firmware", "tpm", "video", "console", "watchdog", "backing", "clone"}


@cache
def documentation() -> dict[str, Any]:
    names = [f"hostler.fleet.{name}" for name in MODULES]
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-doc", "--json", "--type", "module", *names],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "WARNING" not in done.stderr
    return {name: json.loads(done.stdout)[f"hostler.fleet.{name}"] for name in MODULES}


def test_every_module_is_here() -> None:
    assert sorted(MODULES) == sorted(p.stem for p in (ROOT / "plugins" / "modules").glob("*.py"))


def same(documented: dict[str, Any], spec: dict[str, Any], where: str) -> None:
    assert sorted(documented) == sorted(spec), where
    for name, option in spec.items():
        doc, place = documented[name], f"{where}.{name}"
        for key in ("type", "elements", "choices", "default", "required", "aliases"):
            theirs, ours = doc.get(key) or None, option.get(key) or None
            if key == "choices":
                theirs, ours = set(theirs or ()), set(ours or ())
            assert theirs == ours, (place, key)
        text = " ".join([*doc["description"]])
        for variable in option.get("fallback", (None, []))[1]:
            assert f"E({variable})" in text, place
        assert ("suboptions" in doc) == ("options" in option), place
        if "options" in option:
            same(doc["suboptions"], option["options"], place)


@pytest.mark.parametrize("name", MODULES)
def test_documentation_is_the_spec(name: str) -> None:
    options = documentation()[name]["doc"]["options"]
    same(options, MODULES[name].arguments["argument_spec"], name)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_can(name: str) -> None:
    doc = documentation()[name]["doc"]
    assert {"check_mode", "diff_mode", "idempotent", "platform", "action_group"} <= set(
        doc["attributes"]
    )
    assert doc["attributes"]["action_group"]["membership"] == ["hostler.fleet.fleet"]
    assert doc["seealso"]
    assert documentation()[name]["examples"].count("hostler.fleet.") >= 2


@pytest.mark.parametrize("name", MODULES)
def test_every_result_is_described_with_a_sample(name: str) -> None:
    returned = documentation()[name]["return"]
    assert returned
    for key, value in returned.items():
        assert {"description", "returned", "type"} <= set(value), key
        assert value["type"] not in SCALARS or "sample" in value, key


def texts(value: Any) -> typing.Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


@pytest.mark.parametrize("name", MODULES)
def test_options_and_results_are_marked_as_such(name: str) -> None:
    """O() and RV() become links, C() does not; what looks like Markdown is none."""
    doc, returned = documentation()[name]["doc"], documentation()[name]["return"]
    names = {*doc["options"], *returned} - KEYWORDS
    for text in texts([doc, returned]):
        assert names.isdisjoint(re.findall(r"\bC\(([^)]*)\)", text)), text
        assert "`" not in text, text


def parts(annotation: Any) -> list[Any]:
    """The types that a value may have, without Annotated and None."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return parts(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [p for arg in typing.get_args(annotation) for p in parts(arg)]
    return [] if annotation is types.NoneType else [annotation]


def is_size(annotation: Any) -> bool:
    inner = typing.get_args(annotation)
    reads = [item.func for item in inner if isinstance(item, BeforeValidator)]
    return parse_size in reads or any(is_size(item) for item in inner)


def expected(field: Any) -> tuple[str, Any]:
    """The type that an option has for a field, and what its elements or parts are made of."""
    kinds = parts(field.annotation)
    if is_size(field.annotation):
        return "str", None
    if len(kinds) > 1:
        return "raw", None
    kind = kinds[0]
    origin = typing.get_origin(kind)
    if origin in (tuple, frozenset):
        return "list", parts(typing.get_args(kind)[0])[0]
    if origin is typing.Literal:
        return "str", kind
    return ("dict", kind) if is_model(kind) else (KINDS[origin or kind], None)


def is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def fits(option: dict[str, Any], name: str, field: Any, where: str) -> None:
    if name in IN_ONE_WORD:
        assert option["type"] == "raw", where
        return
    kind, inner = expected(field)
    assert option["type"] == kind, where
    assert ("no_log" in option and option["no_log"]) == (SecretStr in parts(field.annotation)), (
        where
    )
    if typing.get_origin(inner) is typing.Literal:
        assert set(option["choices"]) == set(typing.get_args(inner)), where
    elif is_model(inner):
        models(option["options"], inner, where)
    elif kind == "list":
        assert option["elements"] == KINDS[inner], where


def models(spec: dict[str, Any], model: type[BaseModel], where: str) -> None:
    assert sorted(spec) == sorted(model.model_fields), where
    for name, field in model.model_fields.items():
        place = f"{where}.{name}"
        fits(spec[name], name, field, place)
        assert spec[name].get("required", False) == field.is_required(), place
        if not field.is_required():
            default = field.get_default(call_default_factory=True)
            assert (spec[name].get("default") or None) == (default or None), place


def at_top(spec: dict[str, Any], names: typing.Iterable[str]) -> dict[str, Any]:
    return {name: spec[name] for name in names if name in spec}


def test_vm_takes_the_fields_of_its_models() -> None:
    spec = dict(MODULES["vm"].arguments["argument_spec"])
    item = spec.pop("vms")["options"]
    common = {*_module.LIBVIRT, *_module.PARALLEL} - set(VmOptions.model_fields)
    fields = {k: v for k, v in spec.items() if k not in common | OTHER_SPELLINGS}
    fields["name"] = item["name"]
    models(at_top(fields, VmSpec.model_fields), VmSpec, "vm")
    models(at_top(fields, VmOptions.model_fields), VmOptions, "vm")
    assert set(fields) == {*VmSpec.model_fields, *VmOptions.model_fields}


def test_items_of_vm_are_the_same_without_defaults() -> None:
    spec = dict(MODULES["vm"].arguments["argument_spec"])
    item = dict(spec["vms"]["options"])
    assert item.pop("name") == {"type": "str", "required": True}
    assert not [name for name, option in item.items() if "default" in option]
    for name, option in item.items():
        assert option == {k: v for k, v in spec[name].items() if k != "default"}
    assert sorted(_vm_spec.DEFAULTS) == sorted(n for n, o in spec.items() if "default" in o)


def test_vm_info_takes_the_fields_of_its_model() -> None:
    models(_vm_info.QUERY, VmQuery, "vm_info")


def test_vm_metrics_info_takes_the_fields_of_its_model() -> None:
    models({**_metrics.NAMES, **_metrics.OF_VMS}, MetricsQuery, "vm_metrics_info")


def test_host_metrics_info_takes_the_same_but_for_guests() -> None:
    guests = {"guest", "system", "agent_timeout"}
    assert set(_metrics.OF_VMS) - set(_metrics.QUERY) == guests


def test_vm_snapshot_takes_the_fields_of_its_model() -> None:
    spec = dict(MODULES["vm_snapshot"].arguments["argument_spec"])
    spec["vm"] = spec["name"] = {"type": "str", "required": True}
    models(at_top(spec, SnapshotTask.model_fields), SnapshotTask, "vm_snapshot")


def test_vm_migrate_takes_the_fields_of_its_model() -> None:
    spec = dict(MODULES["vm_migrate"].arguments["argument_spec"])
    spec["vm"] = {"type": "str", "required": True}
    models(at_top(spec, VmMigrationTask.model_fields), VmMigrationTask, "vm_migrate")


def test_vm_log_info_takes_the_fields_of_its_model() -> None:
    models(_vm_log.QUERY, LogQuery, "vm_log_info")


def test_vm_batch_takes_filters_and_options() -> None:
    spec = MODULES["vm_batch"].arguments["argument_spec"]
    assert set(spec["operation"]["choices"]) == set(typing.get_args(Operation))
    for name in ("timeout", "delete_disks", "override_protection"):
        default = VmOptions.model_fields[name].default
        assert spec[name]["default"] == default


def test_gpu_pool_takes_the_fields_of_its_model() -> None:
    models(_gpu_pool.TASK, GpuPoolTask, "gpu_pool")


def test_openstack_server_port_takes_the_fields_of_its_model() -> None:
    models(_openstack_port.TASK, PortTask, "openstack_server_port")


def test_hyperstack_launch_takes_the_fields_of_its_model() -> None:
    spec = {**_hyperstack_launch.TASK, "hostname": {"type": "str", "required": True}}
    models(spec, LaunchTask, "hyperstack_launch")


def test_hyperstack_modules_take_the_fields_of_their_models() -> None:
    needed = {"type": "str", "required": True}
    spec = dict(MODULES["hyperstack_vm"].arguments["argument_spec"])
    vm = at_top(spec, _hyperstack_vm.FIELDS)
    models({**vm, "name": needed, "environment": needed}, HyperstackVmTask, "hyperstack_vm")
    assert spec["vms"]["options"] == {**_hyperstack_vm.FIELDS, "name": needed}
    models(_hyperstack_vm.QUERY, HyperstackVmQuery, "hyperstack_vm_info")
    models(_hyperstack_firewall.TASK, FirewallTask, "hyperstack_firewall")
    models(_hyperstack_firewall.ATTACHMENT_TASK, AttachmentTask, "hyperstack_firewall_attachment")
    models(_hyperstack_catalogue.ENVIRONMENT_TASK, EnvironmentTask, "hyperstack_environment")
    models(_hyperstack_catalogue.KEYPAIR_TASK, KeypairTask, "hyperstack_keypair")


def test_aggregate_migration_takes_the_fields_of_its_model() -> None:
    spec = {**_aggregate_migration.TASK, "host": {"type": "str", "required": True}}
    models(spec, MigrationTask, "aggregate_migration")


def test_storage_modules_take_the_fields_of_their_models() -> None:
    models(_storage.POOL_TASK, StoragePoolTask, "storage_pool")
    models(_storage.VOLUME_TASK, StorageVolumeTask, "storage_volume")


def test_network_takes_the_fields_of_its_model() -> None:
    models(_network.TASK, NetworkTask, "network")


def test_host_takes_the_fields_of_its_model() -> None:
    models(_host.TASK, HostTask, "host")


def test_host_maintenance_takes_the_fields_of_its_model() -> None:
    spec = {
        **_host_maintenance.FIELDS,
        "host": {"type": "str", "required": True},
        "persist": {"type": "bool", "default": True},
        "undefine_source": {"type": "bool", "default": True},
    }
    models(spec, HostMaintenanceTask, "host_maintenance")


def test_host_info_has_the_fields_that_can_be_read() -> None:
    choices = _host.INFO.arguments["argument_spec"]["fields"]["choices"]
    assert set(choices) == set(typing.get_args(HostField))
