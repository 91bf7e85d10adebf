# SPDX-License-Identifier: Apache-2.0
"""fleet.yml and VM documents: every problem named with its line; nothing a file holds breaks us."""

from __future__ import annotations

import json
import string
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.errors import ConfigError
from hostler.files import load_config, load_vms
from hostler.models.size import GIB
from hostler.models.vm import VmSpec
from hostler.models.vm_task import VmOptions, VmTask
from hostler.schema import fleet_schema, problems, vm_schema

pytestmark = pytest.mark.slow

PUBLISHED = Path(__file__).parents[3] / "docs" / "schemas"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "document.yml"


def vms(file: Path, text: str) -> list[VmTask]:
    file.write_text(text)
    return load_vms(file)


def refused(file: Path, text: str | bytes) -> ConfigError:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        load_vms(file)
    assert str(file) in str(caught.value)
    return caught.value


@pytest.mark.parametrize(("name", "schema"), [("vm", vm_schema()), ("fleet", fleet_schema())])
def test_published_schemas_are_those_of_the_models(name: str, schema: Any) -> None:
    published = json.loads((PUBLISHED / f"{name}.schema.json").read_text())
    assert published == schema, f"run: hostler schema {name} > docs/schemas/{name}.schema.json"
    Draft202012Validator.check_schema(published)


def test_one_vm(file: Path) -> None:
    (task,) = vms(file, "name: web\nmemory: 4GiB\nstate: running\n")
    assert task.spec.name == "web"
    assert task.spec.memory == 4 * GIB
    assert task.options.state == "running"


def test_many_vms_with_defaults_in_several_documents(file: Path) -> None:
    tasks = vms(
        file,
        """
# yaml-language-server: $schema=https://example.org/vm.schema.json
defaults: {memory: 1GiB, cpus: 2, wait_for: ip}
vms:
  - name: a
  - {name: b, memory: 2GiB, cpus: null}
---
name: c
---
""",
    )
    assert [t.spec.name for t in tasks] == ["a", "b", "c"]
    assert [t.spec.memory for t in tasks] == [GIB, 2 * GIB, None]
    assert [t.spec.cpus for t in tasks] == [2, 2, None]
    assert [t.options.wait_for for t in tasks] == ["ip", "ip", None]


def test_anchors_and_merge_keys(file: Path) -> None:
    (task, other) = vms(
        file,
        "vms:\n- &a {name: a, memory: 1GiB, cpus: 2}\n- {<<: *a, name: b, cpus: 4}\n",
    )
    assert (other.spec.name, other.spec.memory, other.spec.cpus) == ("b", GIB, 4)
    assert task.spec.cpus == 2


@pytest.mark.parametrize(
    ("text", "line", "path", "says"),
    [
        ("name: web\nmemroy: 4GiB\n", 2, "memroy", "no such option; did you mean 'memory'?"),
        ("name: web\nmemory: 4096\n", 2, "memory", "must be a size with a unit, such as 4GiB"),
        ("name: web\ncpus: two\n", 2, "cpus", "must be a whole number"),
        ("name: web\ncpus: 0\n", 2, "cpus", "must be 1 or more"),
        ("name: web\nautostart: yes\n", 2, "autostart", "must be true or false"),
        ("name: web\nfirmware: efi\n", 2, "firmware", "must be one of bios, uefi or a mapping"),
        ("name: web\ntpm: maybe\n", 2, "tpm", "must be true or a mapping or false"),
        ("memory: 1GiB\n", 1, "", "'name' is required"),
        ("vms: []\n", 1, "vms", "must have at least 1"),
        ("defaults: {}\n", 1, "", "'vms' is required"),
        ("vms:\n- name: a\n  disks:\n  - size: 1GiB\n    buss: sata\n", 5, "vms[0].disks[0].buss",
         "did you mean 'bus'?"),
        ("vms:\n- name: a\n- name: b\n- name: a\n", 4, "vms[2].name", "VM 'a' is in it twice"),
        ("name: a\ncpus: 1\ncpus: 2\n", 3, "cpus", "this key is there twice"),
        ("name: a\ncpus: 3\ncpus_max: 2\n", 1, "", "cpus (3) is above cpus_max (2)"),
        ("name: a\nnetworks:\n- type: bridge\n", 3, "", "needs 'bridge'"),
        ("name: a/b\n", 1, "", "'/'"),
        ("name: !env NAME\n", 1, "", "no constructor for the tag '!env'"),
        ("name: !!python/object/apply:os.system [id]\n", 1, "", "no constructor for the tag"),
        ("name: a\n\tcpus: 1\n", 2, "", "cannot start any token"),
        ("name: [a\n", 2, "", "expected"),
        ("name: a\nx: *nothing\n", 2, "", "found undefined alias 'nothing'"),
        ("name: a\nlabels: &l\n  x: *l\n", 2, "", "an alias holds itself"),
        ("- name: a\n", 1, "", "must be a mapping"),
        ("just text\n", 1, "", "must be a mapping"),
        ("? [a]\n: b\n", 1, "", "a key must be text"),
        ("name: a\n1: b\n", 1, "[1]", "there is no such option"),
    ],
)  # fmt: skip
def test_one_problem(file: Path, text: str, line: int, path: str, says: str) -> None:
    error = refused(file, text)
    assert (error.line, error.path) == (line, path)
    assert says in error.what


def test_all_problems_at_once(file: Path) -> None:
    error = refused(
        file, "vms:\n- name: a\n  cpus: x\n- name: b\n  memroy: 1\n- name: c\n  state: gone\n"
    )
    states = "present, running, stopped, paused, restarted, reset, absent"
    assert str(error).splitlines() == [
        f"{file}: 3 problems",
        "  line 3, at vms[0].cpus: must be a whole number",
        "  line 5, at vms[1].memroy: there is no such option; did you mean 'memory'?",
        f"  line 7, at vms[2].state: must be one of {states}.",
    ]
    error = refused(
        file, "vms:\n- name: a\n  cpus: 3\n  cpus_max: 1\n- name: b\n  disks: [{path: x}]\n"
    )
    assert error.what.startswith("2 problems\n  line 2, at vms[0]: cpus (3)")
    assert "line 6, at vms[1]: disks[0]: path 'x' is not absolute" in error.what


def test_a_secret_in_the_wrong_place_is_not_repeated(file: Path) -> None:
    for text in (
        "name: a\ngraphics: {type: vnc, password: [hunter2]}\n",
        "name: a\ngraphics: {type: hunter2}\n",
        "name: a\ncpus: hunter2\n",
        "name: a\ngraphics: {type: vnc, password: hunter2-hunter2}\n",
        "name: a\ncloud_init: {user_data: [hunter2]}\n",
    ):
        assert "hunter2" not in str(refused(file, text))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        (b"# nothing\n---\n", "the file is empty"),
        (b"name: a\n\xff\xfe", "it is not UTF-8 text"),
        (b"\x7fELF\x02\x01\x01\x00" * 100, "special characters are not allowed"),
        (b"#" * (4 * 1024**2 + 1), "it has more than 4 MiB"),
        (b"[" * 100_000, "nested too deeply"),
        (b"name: a\ncpus: " + b"9" * 5000, "it is not YAML"),
    ],
)
def test_files_that_are_no_documents(file: Path, content: bytes, says: str) -> None:
    assert says in refused(file, content).what


def test_a_bomb_is_refused_at_once(file: Path) -> None:
    levels = string.ascii_lowercase
    lines = ["name: x", "a: &a [1,2,3,4,5,6,7,8,9]"]
    lines += [f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]" for a, b in pairwise(levels)]
    assert "more than 200000 values" in refused(file, "\n".join(lines)).what


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, says in (
        (tmp_path / "missing.yml", "No such file"),
        (tmp_path, "Is a directory"),
        ("nul\0.yml", "no file name"),
    ):
        with pytest.raises(ConfigError, match=says):
            load_vms(path)


@given(st.binary(max_size=200) | st.text("{}[]&*!|>-: \n#'\"a1", max_size=60))
@settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_nothing_but_a_config_error_comes_out(file: Path, content: bytes | str) -> None:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    for load in (load_vms, load_config):
        with suppress(ConfigError):
            load(file)


def test_numbers_of_yaml_1_1_are_text(file: Path) -> None:
    (task,) = vms(
        file,
        "name: 2024-01-01\ndescription: off\nnetworks: [{mac: 52:54:00:12:34:56}]\n"
        "host_devices: [{address: 0000:03:00.0}]\n",
    )
    assert task.spec.name == "2024-01-01"
    assert task.spec.description == "off"
    assert task.spec.networks
    assert task.spec.networks[0].mac == "52:54:00:12:34:56"
    assert task.spec.host_devices[0].address == "0000:03:00.0"


FORMS: list[dict[str, Any]] = [
    {"tpm": True}, {"tpm": False}, {"tpm": {"model": "tpm-tis"}},
    {"console": True}, {"console": {"log": "/var/log/web.log"}},
    {"watchdog": True}, {"watchdog": False}, {"watchdog": {"action": "reset"}},
    {"firmware": "uefi"}, {"firmware": {"type": "uefi", "secure_boot": True}},
    {"video": "virtio"}, {"video": {"model": "qxl"}},
    {"graphics": {"type": "spice"}}, {"graphics": [{"type": "vnc", "password": "12345678"}]},
    {"disks": [{"backing": "base"}]}, {"disks": [{"backing": {"pool": "p", "volume": "v"}}]},
    {"disks": [{"clone": "base", "size": "10 GiB"}]},
    {"networks": [{"vlan": 5}]}, {"networks": [{"vlan": [5, 6]}]}, {"networks": []},
    {"cpu_cores": 2}, {"memory_mb": 512}, {"memory_gb": 1.5}, {"disk_gb": 1}, {"storage_gb": 2},
    {"cloud_init": {"user_data": {"packages": ["nginx"]}}}, {"cloud_init": {"user_data": "#!/x"}},
    {"labels": {"role": "web"}}, {"kernel_boot": {"kernel": "/boot/vmlinuz"}},
    {"from_template": {"vm": "golden"}}, {"host_devices": [{"address": "3b:00.0"}]},
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_whatever_the_models_accept_the_schema_accepts(form: dict[str, Any]) -> None:
    VmTask.parse({"name": "web", **form})
    assert list(problems({"name": "web", **form}, vm_schema())) == []


def test_the_schema_has_every_field() -> None:
    fields = set(vm_schema()["$defs"]["Vm"]["properties"])
    assert fields >= set(VmSpec.model_fields) | set(VmOptions.model_fields)


def test_fleet_yml(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("uri: qemu+ssh://kvm1/system\npolicy: {read_only: true, protected: [db-*]}\n")
    config = load_config(file)
    assert config.uri == "qemu+ssh://kvm1/system"
    assert config.policy.protects("db-1")
    monkeypatch.setenv("HOSTLER_CONFIG", str(file))
    monkeypatch.delenv("LIBVIRT_DEFAULT_URI", raising=False)
    assert Fleet().uri == "qemu+ssh://kvm1/system"
    assert Fleet(uri="test:///default").uri == "test:///default"


@pytest.mark.parametrize("text", ["", "---\n", "# only a comment\n", "{}"])
def test_an_empty_fleet_yml_is_all_defaults(file: Path, text: str) -> None:
    file.write_text(text)
    assert load_config(file) == FleetConfig()


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("uri: a\nparalel: 4\n", 2, "did you mean 'parallel'?"),
        ("parallel: 65\n", 1, "must be 64 or less"),
        ("policy:\n  protected: db\n", 2, "must be a list"),
        ("a: 1\n---\nb: 2\n", 3, "a fleet.yml is one document"),
    ],
)
def test_bad_fleet_yml(file: Path, text: str, line: int, says: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert caught.value.line == line
    assert says in caught.value.what
