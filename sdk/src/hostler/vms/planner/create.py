# SPDX-License-Identifier: Apache-2.0
"""A VM that is not there: volumes, seed, definition, autostart, start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hostler.errors import InvalidInput
from hostler.models.devices import Backing, Cdrom, Disk
from hostler.models.vm import VmSpec
from hostler.models.vm_task import VmTask
from hostler.plan.plan import Plan
from hostler.vms.domain.disks import Source, free_target, targets_of
from hostler.vms.domain.editor import Editor
from hostler.vms.domain.extras import wanted_password
from hostler.vms.domain.metadata import stamp
from hostler.vms.domain.read import document
from hostler.vms.domain.skeleton import choose_virt_type, skeleton, with_defaults
from hostler.vms.domain.tree import Element, attr, serialise
from hostler.vms.planner.edit import Parts, apply_spec, pair_macs, place_cdroms
from hostler.vms.planner.power import power_steps, status_after
from hostler.vms.planner.seed import plan_seed
from hostler.vms.planner.storage import (
    pool_of,
    resolve_disks,
    volume_of,
    volume_source,
)
from hostler.vms.planner.template import cloned_tree, clones_of
from hostler.vms.planner.whole_xml import plan_xml_create
from hostler.vms.steps import DefineDomain, SetAutostart

if TYPE_CHECKING:
    from hostler.plan.step import Step
    from hostler.vms.observe import Observed


def plan_create(task: VmTask, observed: Observed) -> Plan:
    """Plan a new VM."""
    if task.spec.xml is not None:
        return plan_xml_create(task, observed)
    name = task.spec.new_name or task.spec.name
    spec = task.spec.model_copy(update={"name": name, "new_name": None})
    tree, spec = _start(spec, observed)
    editor = Editor(tree)
    parts = work_out(spec, tree, observed)
    apply_spec(editor, spec, parts)
    stamp(tree, observed.now, created=True)
    return finish_create(task, observed, tree, parts)


def finish_create(task: VmTask, observed: Observed, tree: Element, parts: Parts) -> Plan:
    """Return the plan that makes the volumes of a new VM and defines it."""
    name, uri = str(tree.findtext("name")), observed.host.uri
    define = DefineDomain(
        uri=uri,
        name=name,
        uuid=str(tree.findtext("uuid")),
        xml=serialise(tree),
        password=wanted_password(task.spec),
    )
    steps: list[Step] = [*parts.steps, define]
    if task.spec.autostart:
        steps.append(SetAutostart(uri=uri, name=name, on=True))
    steps += power_steps(uri, name, "stopped", task.options)
    sizes = {str(d.disk.target): d.size for d in parts.disks if d.size is not None}
    after = shown(tree, sizes, parts.generated) | {
        "status": status_after("stopped", task.options),
        "autostart": bool(task.spec.autostart),
    }
    return Plan(
        target=f"vm/{name}",
        summary=f"create VM {name} on {uri}",
        after={"name": name, **after},
        warnings=_warnings(task, observed),
        steps=steps,
    )


def shown(tree: Element, sizes: dict[str, int], generated: dict[str, str]) -> dict[str, Any]:
    """Return a domain's document, with words in place of addresses that were just made up."""
    found = document(tree, sizes)
    if generated and "networks" in found:
        cards = found["networks"]
        found["networks"] = {generated.get(mac, mac): card for mac, card in cards.items()}
    return found


def _warnings(task: VmTask, observed: Observed) -> list[str]:
    if task.spec.networks is None and "default" not in observed.host.networks:
        return ["there is no network 'default': the VM has no network card"]
    inactive = [n for n, active in observed.host.networks.items() if not active]
    used = {n.network_name for n in task.spec.networks or () if n.type == "network"}
    return [
        f"network {n!r} is not active: the VM can't start with it" for n in inactive if n in used
    ]


def _start(spec: VmSpec, observed: Observed) -> tuple[Element, VmSpec]:
    """Return the tree that a new VM starts from, and the spec with its defaults."""
    template = spec.from_template
    if template is not None and template.vm is not None:
        return cloned_tree(spec, template.vm, observed), spec
    host = observed.host
    arch = spec.arch or host.facts.arch
    kvm = host.kvm_works if arch == host.facts.arch else False
    virt_type = choose_virt_type(spec, host.facts.types.get(arch, []), kvm)
    spec = with_defaults(spec, virt_type, default_network="default" in host.networks)
    if template is not None:
        spec = spec.model_copy(update={"disks": _from_volume(spec, observed)})
    tree = skeleton(
        spec,
        uuid=observed.new_uuid,
        virt_type=virt_type,
        arch=arch,
        machines=host.facts.machines.get(arch, {}),
    )
    return tree, spec


def _from_volume(spec: VmSpec, observed: Observed) -> tuple[Disk, ...]:
    """Make the first disk a clone of the template's volume."""
    template = spec.from_template
    if template is None or template.volume is None:
        return spec.disks
    volume_of(observed, template.pool, template.volume)
    key = "backing" if template.linked else "clone"
    first = spec.disks[0] if spec.disks else Disk(pool=template.pool)
    if first.image or first.backing or first.clone:
        raise InvalidInput("the first disk has a source of its own beside 'from_template'")
    origin = Backing(pool=template.pool, volume=template.volume)
    return (first.model_copy(update={key: origin}), *spec.disks[1:])


def work_out(spec: VmSpec, tree: Element, observed: Observed) -> Parts:
    """Work out disks, drives and addresses of a VM, and the steps that make its volumes."""
    used = set(targets_of(tree)) | {c.target for c in spec.cdroms if c.target}
    clones = clones_of(spec, observed) if observed.domain is None else {}
    disks = resolve_disks(spec.name, spec.disks, tree, observed, used)
    macs, generated = pair_macs(tree, spec, observed.new_macs)
    wanted: list[tuple[Cdrom, Source | None]] = [(c, _medium(c, observed)) for c in spec.cdroms]
    seed, write, drop = plan_seed(spec, macs, tree, observed)
    if seed is not None:
        cdrom, source = seed
        target = cdrom.target or free_target(used, "scsi")
        used.add(target)
        wanted.append((cdrom.model_copy(update={"target": target}), source))
    arch = attr(tree, "os/type", "arch") or "x86_64"
    return Parts(
        disks=disks,
        cdroms=place_cdroms(tree, wanted, used, arch),
        macs=macs,
        generated=generated,
        steps=[*clones.values(), *(s for d in disks for s in d.make), *write],
        cleanup=drop,
        machine=_machine(spec, tree, observed),
    )


def _machine(spec: VmSpec, tree: Element, observed: Observed) -> str | None:
    """Return the versioned machine behind the wanted one.

    Raises:
        InvalidInput: the host has no such machine.
    """
    arch = spec.arch or attr(tree, "os/type", "arch") or "x86_64"
    known = observed.host.facts.machines.get(arch, {})
    wanted = spec.machine
    kept = observed.domain is not None and wanted == attr(tree, "os/type", "machine")
    if wanted is None or not known or kept:
        return wanted
    if wanted not in known:
        usual = ", ".join(sorted(n for n, versioned in known.items() if n != versioned))
        raise InvalidInput(
            f"the host has no machine {wanted!r} for {arch} (usual ones: {usual})",
            hint="See 'virsh capabilities' on the host.",
        )
    return known[wanted]


def _medium(cdrom: Cdrom, observed: Observed) -> Source | None:
    if cdrom.image:
        kind = "block" if cdrom.image.startswith("/dev/") else "file"
        return Source(kind, path=cdrom.image, format="raw")
    if cdrom.volume:
        pool = pool_of(observed, cdrom.pool or "default")
        return volume_source(pool, volume_of(observed, pool.name, cdrom.volume).name, "raw")
    return None
