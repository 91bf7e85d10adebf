# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/reference/sdk.md from the SDK's docstrings and models.

Run it after a change of either: .venv/bin/python docs/sdk_reference.py
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hostler.errors import HostlerError

PAGE = Path(__file__).resolve().parent / "reference" / "sdk.md"

CONTENT = {
    "The fleet": ["hostler.fleet:Fleet"],
    "Services": [
        "hostler.vms.service:Vms",
        "hostler.vms.request:Request",
        "hostler.vms.snapshots:Snapshots",
        "hostler.gpu.service:Gpu",
        "hostler.gpu.migrations:Migrations",
        "hostler.gpu.pools:Pools",
        "hostler.storage.service:Storage",
        "hostler.storage.volumes:StorageVolumes",
        "hostler.networks.service:Networks",
        "hostler.openstack.service:Openstack",
        "hostler.hyperstack.service:Hyperstack",
        "hostler.hyperstack.vms:HyperstackVms",
        "hostler.hyperstack.firewalls:Firewalls",
        "hostler.launches.service:Launches",
        "hostler.metrics.service:Metrics",
        "hostler.metrics.collector:Collector",
        "hostler.plan.runner:Runner",
        "hostler.plan.journal:Journal",
    ],
    "Plans": [
        "hostler.plan.plan:Plan",
        "hostler.plan.step:Step",
        "hostler.plan.outcome:Outcome",
        "hostler.plan.outcome:Progress",
        "hostler.plan.journal:StoredPlan",
        "hostler.plan.journal:LogEntry",
    ],
    "A VM as it is wanted": [
        "hostler.models.vm_task:VmTask",
        "hostler.models.vm:VmSpec",
        "hostler.models.vm_task:VmOptions",
        *(f"hostler.models.vm:{name}" for name in ("Cpu", "KernelBoot", "Template")),
        *(
            f"hostler.models.devices:{name}"
            for name in (
                *("Disk", "Backing", "Cdrom", "Nic", "Firmware", "Tpm", "Graphics", "Video"),
                *("SerialConsole", "Watchdog", "HostDevice"),
            )
        ),
        "hostler.models.cloud_init:CloudInit",
        "hostler.models.vm_task:SnapshotTask",
    ],
    "A VM as it was found": [
        "hostler.models.vm_task:VmQuery",
        "hostler.models.vm_task:VmPage",
        *(
            f"hostler.models.vm_view:{name}"
            for name in (
                *("Vm", "Resources", "NetworkView", "InterfaceView", "HypervisorDetails"),
                *("Hardware", "DiskView", "GraphicsView", "SnapshotView"),
            )
        ),
    ],
    "Storage and networks": [
        *(
            f"hostler.models.storage:{name}"
            for name in (
                *("StoragePoolTask", "StoragePool", "StoragePoolResult"),
                *("StorageVolumeTask", "StorageVolume", "StorageVolumeResult"),
            )
        ),
        *(
            f"hostler.models.libvirt_network:{name}"
            for name in (
                *("NetworkTask", "DhcpRange", "DhcpHost", "Portgroup"),
                *("LibvirtNetwork", "NetworkResult"),
            )
        ),
    ],
    "GPU hosts": [
        "hostler.models.migration:MigrationTask",
        "hostler.models.migration:MigrationResult",
        "hostler.models.migration:Verification",
        "hostler.models.gpu_pool:GpuPoolTask",
        *(
            f"hostler.models.gpu:{name}"
            for name in (
                *("GpuType", "GpuOverview", "PoolView", "AggregateView", "GpuHost", "GpuSummary"),
                *("HostServers", "HostServer", "TargetAdvice", "Target"),
            )
        ),
    ],
    "OpenStack and Hyperstack": [
        "hostler.models.network:PortTask",
        "hostler.models.network:ServerView",
        "hostler.models.network:NetworkView",
        "hostler.models.network:PortView",
        "hostler.models.hyperstack_task:HyperstackVmTask",
        "hostler.models.hyperstack_task:FirewallTask",
        "hostler.models.hyperstack_task:AttachmentTask",
        "hostler.models.hyperstack:HyperstackVm",
        "hostler.models.launch:LaunchTask",
        "hostler.models.launch:RunpodSeed",
        "hostler.models.launch:LaunchResult",
    ],
    "Metrics": [
        *(
            f"hostler.models.metrics:{name}"
            for name in (
                *("MetricsQuery", "VmMetricsPage", "VmMetrics", "HostMetrics", "PoolMetrics"),
                *("SystemMetrics", "History", "GuestFigures", "FilesystemFigures"),
            )
        ),
        "hostler.metrics.collector:Round",
    ],
    "Results": [
        "hostler.models.result:Result",
        "hostler.models.result:PlanView",
        "hostler.models.vm_task:VmResult",
        "hostler.models.vm_task:BatchResult",
    ],
    "Configuration and documents": [
        "hostler.config:FleetConfig",
        "hostler.config:Policy",
        "hostler.config:OpenstackConfig",
        "hostler.models.gpu_config:GpuConfig",
        "hostler.models.gpu_config:PoolPattern",
        "hostler.models.netbox:NetboxConfig",
        "hostler.models.hyperstack_config:HyperstackConfig",
        "hostler.models.launch_config:LaunchConfig",
        "hostler.models.metrics_config:MetricsConfig",
        "hostler.models.metrics_config:PrometheusConfig",
        "hostler.models.launch_config:LaunchRegion",
        "hostler.files:load_config",
        "hostler.files:load_vms",
    ],
    "For tests": [
        "hostler.testing.netbox:FakeNetbox",
        "hostler.testing.hyperstack:FakeHyperstack",
    ],
    "Errors": [
        *(
            f"hostler.errors:{name}"
            for name in (
                *("HostlerError", "InvalidInput", "ConfigError", "NotFound", "Conflict"),
                *("PolicyError", "MissingLibrary", "InternalError", "BackendError", "Unreachable"),
                *("Denied", "Timeout", "PlanError", "PlanFailed"),
            )
        )
    ],
}

_WORDS = {"Name": "str", "Text": "str", "Target": "str", "State": "'present' | 'absent'"}


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())


def page() -> str:
    """Return the text of the page."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(_page())).rstrip() + "\n"


def _page() -> Iterator[str]:
    yield "# SDK reference\n"
    yield "<!-- Written by docs/sdk_reference.py: change the docstrings instead. -->\n"
    yield "How the parts go together is told in [the SDK guide](../sdk.md).\n"
    for title, names in CONTENT.items():
        yield f"## {title}\n"
        for name in names:
            module, attribute = name.split(":")
            yield from _object(module, attribute, getattr(import_module(module), attribute))


def _object(module: str, name: str, thing: Any) -> Iterator[str]:
    yield f"### {name}\n"
    yield f"`from {module} import {name}`\n"
    if not inspect.isclass(thing):
        yield f"`{name}{_signature(thing)}`\n"
        yield from _docstring(thing)
        return
    bases = [base.__name__ for base in thing.__bases__ if base.__module__.startswith("hostler")]
    if issubclass(thing, HostlerError) and bases:
        yield f"Code `{thing.code}`, a kind of {bases[0]}.\n"
    yield from _docstring(thing)
    if issubclass(thing, BaseModel):
        yield from _fields(thing)
    yield from _methods(thing)


def _fields(model: type[BaseModel]) -> Iterator[str]:
    if not model.model_fields:
        return
    annotations: dict[str, str] = {}
    for base in reversed(model.__mro__):
        annotations |= vars(base).get("__annotations__", {})
    yield "| field | type | default |\n| --- | --- | --- |"
    for name, field in model.model_fields.items():
        kind = _type(annotations[name]).replace("|", "\\|")
        yield f"| `{name}` | `{kind}` | {_default(field)} |"
    yield ""


def _default(field: FieldInfo) -> str:
    default = field.default
    if field.default_factory is not None:
        return "made anew"
    if default is PydanticUndefined:
        return "**required**"
    if isinstance(default, BaseModel):
        return "its defaults"
    return "`()`" if isinstance(default, frozenset) else f"`{default!r}`"


def _type(text: str) -> str:
    """Shorten an annotation: without what checks it, in plain words."""
    return ast.unparse(_Shorter().visit(ast.parse(text, mode="eval")))


class _Shorter(ast.NodeTransformer):
    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        if name == "Annotated" and isinstance(node.slice, ast.Tuple):
            return self.visit(node.slice.elts[0])  # type: ignore[no-any-return]
        if name == "SerializeAsAny":
            return self.visit(node.slice)  # type: ignore[no-any-return]
        if name == "Literal":
            values = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return ast.Name(" | ".join(ast.unparse(value) for value in values))
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(_WORDS.get(node.id, node.id))


def _methods(thing: type) -> Iterator[str]:
    for name, member in vars(thing).items():
        if name.startswith(("_", "model_")):
            continue
        getter = getattr(member, "fget", None) or getattr(member, "func", None)
        function = getattr(member, "__func__", member)
        if getter is not None:
            returns = _plain(inspect.signature(getter).return_annotation)
            yield f"#### {thing.__name__}.{name}\n\n`{name}: {returns}`\n"
            yield from _docstring(getter)
        elif inspect.isfunction(function):
            yield f"#### {thing.__name__}.{name}\n\n`{name}{_signature(function)}`\n"
            yield from _docstring(function)


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    parameters = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
    return _plain(str(signature.replace(parameters=parameters)))


def _plain(annotation: Any) -> str:
    """Write an annotation without the quotes of one that is kept as text."""
    return re.sub(r"(?<=[:>] )'([^']*)'", r"\1", str(annotation))


def _docstring(thing: Any) -> Iterator[str]:
    """Write a docstring of Google's style: its sections become lists."""
    text = inspect.getdoc(thing) or ""
    for block in re.split(r"\n\s*\n", text):
        head = block.partition("\n")[0]
        if re.fullmatch(r"(Args|Raises|Returns|Attributes):", head):
            yield f"{head}\n"
            yield from _entries(block.removeprefix(head))
            yield ""
        elif block.lstrip().startswith(">>>"):
            yield "```pycon\n" + block + "\n```\n"
        elif "|- " in block:
            yield "```text\n" + block + "\n```\n"
        else:
            yield re.sub(r"``([^`]+)``", r"`\1`", block) + "\n"


def _entries(body: str) -> Iterator[str]:
    entry: list[str] = []
    for line in [*inspect.cleandoc(body).splitlines(), ""]:
        if entry and not line.startswith(" "):
            name, colon, words = " ".join(entry).partition(": ")
            words = re.sub(r"``([^`]+)``", r"`\1`", words)
            yield f"* `{name}`{colon}{words}" if colon else f"* {name}"
            entry = []
        if line.strip():
            entry.append(line.strip())


if __name__ == "__main__":
    main()
