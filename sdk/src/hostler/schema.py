# SPDX-License-Identifier: Apache-2.0
"""The JSON Schemas of fleet.yml and of VM documents, made of the models; and checking against them.

They are published in ``docs/schemas`` for editors, and printed by ``hostler schema``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from hostler.config import FleetConfig
from hostler.models.size import SIZE_PATTERN
from hostler.models.vm import VmSpec
from hostler.models.vm_task import VmOptions

Schema = dict[str, Any]
Path = tuple[str | int, ...]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"

_SHORT_FORMS: dict[tuple[str, str], Schema] = {
    ("Vm", "console"): {"const": True},
    ("Vm", "firmware"): {"$ref": "#/$defs/Firmware/properties/type"},
    ("Vm", "graphics"): {"$ref": "#/$defs/Graphics"},
    ("Vm", "tpm"): {"const": True},
    ("Vm", "video"): {"$ref": "#/$defs/Video/properties/model"},
    ("Vm", "watchdog"): {"const": True},
    ("Disk", "backing"): {"type": "string"},
    ("Disk", "clone"): {"type": "string"},
    ("Nic", "vlan"): {"type": "integer", "minimum": 1, "maximum": 4094},
}
"""What the models' validators accept beside the full form; pydantic's schemas don't tell."""

_OTHER_SPELLINGS: dict[str, Schema] = {
    "cpu_cores": {"type": "integer", "minimum": 1, "description": "Another spelling of cpus."},
    "memory_mb": {"type": "integer", "minimum": 1, "description": "memory, in MiB."},
    "memory_gb": {"type": "number", "exclusiveMinimum": 0, "description": "memory, in GiB."},
    "disk_gb": {"type": "number", "exclusiveMinimum": 0, "description": "First disk, in GiB."},
    "storage_gb": {"type": "number", "exclusiveMinimum": 0, "description": "As disk_gb."},
}


def fleet_schema() -> Schema:
    """Return the JSON Schema of fleet.yml."""
    return {"$schema": _DRAFT, **FleetConfig.model_json_schema(), "title": "Hostler fleet.yml"}


def vm_schema() -> Schema:
    """Return the JSON Schema of a VM document: one VM, or ``vms`` with ``defaults``."""
    definitions, vm = _vm()
    definitions["Vm"] = {**vm, "required": ["name"]}
    definitions["Defaults"] = {**vm, "description": "What all VMs of the document have in common."}
    definitions["Vms"] = {
        "type": "object",
        "properties": {
            "defaults": {"$ref": "#/$defs/Defaults"},
            "vms": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Vm"}},
        },
        "required": ["vms"],
        "additionalProperties": False,
    }
    return {
        "$schema": _DRAFT,
        "title": "Hostler VM document",
        "description": "One VM, or several below 'vms' with what they share below 'defaults'.",
        "type": "object",
        "if": {"anyOf": [{"required": ["vms"]}, {"required": ["defaults"]}]},
        "then": {"$ref": "#/$defs/Vms"},
        "else": {"$ref": "#/$defs/Vm"},
        "$defs": definitions,
    }


def _vm() -> tuple[dict[str, Schema], Schema]:
    """Return the definitions, and one flat object of a VM's spec and options."""
    vm, options = VmSpec.model_json_schema(), VmOptions.model_json_schema()
    definitions = {**vm.pop("$defs"), **options.pop("$defs", {})}
    vm["properties"] |= options["properties"] | _OTHER_SPELLINGS
    del vm["required"]
    for (owner, name), form in _SHORT_FORMS.items():
        properties = (vm if owner == "Vm" else definitions[owner])["properties"]
        properties[name]["anyOf"].insert(0, form)
    return definitions, vm


def problems(data: Any, schema: Schema) -> Iterator[tuple[Path, str]]:
    """Check data; give the place and the sentence of each problem. No value is ever repeated."""
    for error in Draft202012Validator(schema).iter_errors(data):
        for cause in _causes(error):
            yield from _explain(cause, schema)


def _causes(error: ValidationError) -> Iterator[ValidationError]:
    """Where data may have several forms: the errors within the form that was meant, if any."""
    shape = ("type", "const", "enum")
    within = [e for e in error.context or () if e.relative_path or e.validator not in shape]
    if not within:
        yield error
    for inner in within:
        yield from _causes(inner)


def _explain(error: ValidationError, schema: Schema) -> Iterator[tuple[Path, str]]:
    path, part = tuple(error.absolute_path), _part(error)
    instance: Any = error.instance
    if error.validator == "additionalProperties":
        known = list(part["properties"])
        for key in (key for key in instance if key not in known):
            yield (*path, key), _unknown(key, known)
    elif error.validator == "required":
        for key in (key for key in part["required"] if key not in instance):
            yield path, f"'{key}' is required"
    else:
        yield path, _bound(error) or f"must be {_wanted(part, schema)}"


def _part(error: ValidationError) -> Schema:
    part: Any = error.schema
    return dict(part)


def _unknown(key: Any, known: list[str]) -> str:
    close = difflib.get_close_matches(str(key), known, 1)
    return "there is no such option" + (f"; did you mean '{close[0]}'?" if close else "")


def _bound(error: ValidationError) -> str:
    words = {
        "minimum": "must be {} or more",
        "exclusiveMinimum": "must be more than {}",
        "maximum": "must be {} or less",
        "minItems": "must have at least {}",
    }
    form = words.get(str(error.validator), "")
    return form.format(error.validator_value)


_WORDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "empty",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}


def _wanted(part: Any, schema: Schema) -> str:
    """Say what a part of a schema accepts."""
    if "$ref" in part:
        return _wanted(_resolve(part["$ref"], schema), schema)
    if "anyOf" in part:
        forms = [_wanted(p, schema) for p in part["anyOf"] if p.get("type") != "null"]
        return " or ".join(dict.fromkeys(forms))
    if "enum" in part:
        return f"one of {', '.join(map(str, part['enum']))}"
    if "const" in part:
        return str(part["const"]).lower()
    if part.get("pattern") == SIZE_PATTERN:
        return "a size with a unit, such as 4GiB"
    text = _WORDS.get(str(part.get("type")), "something else")
    return f"{text} that matches {part['pattern']}" if "pattern" in part else text


def _resolve(reference: str, schema: Schema) -> Any:
    found: Any = schema
    for key in reference.removeprefix("#/").split("/"):
        found = found[key]
    return found
