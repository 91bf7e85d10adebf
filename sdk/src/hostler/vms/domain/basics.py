# SPDX-License-Identifier: Apache-2.0
"""CPUs, memory, title, OS and boot of a domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostler.vms.domain.editor import Editor, Live
from hostler.vms.domain.tree import Element, add, attr, ensure, memory_of, put, remove

if TYPE_CHECKING:
    from hostler.models.vm import Cpu, KernelBoot, VmSpec


def edit_basics(editor: Editor, spec: VmSpec, machine: str | None) -> None:
    """Bring all outside of the devices to what is wanted; ``machine`` is behind spec's alias."""
    _edit_text(editor, "title", spec.title)
    _edit_text(editor, "description", spec.description)
    edit_cpus(editor, spec)
    edit_memory(editor, spec)
    if spec.cpu is not None:
        _edit_cpu(editor, spec.cpu)
    _edit_os(editor, spec, machine)
    if spec.kernel_boot is not None:
        _edit_kernel(editor, spec.kernel_boot)


def _edit_text(editor: Editor, tag: str, wanted: str | None) -> None:
    have = editor.tree.findtext(tag) or ""
    if wanted is None or wanted == have:
        return

    def edit() -> None:
        if wanted:
            ensure(editor.tree, tag).text = wanted
        else:
            remove(editor.tree, tag)

    live = Live("title" if tag == "title" else "description", wanted, have)
    editor.change(tag, edit, live)


def cpus_of(tree: Element) -> tuple[int, int]:
    """Return the current and the maximum number of CPUs."""
    maximum = int(tree.findtext("vcpu") or 1)
    return int(attr(tree, "vcpu", "current") or maximum), maximum


def edit_cpus(editor: Editor, spec: VmSpec) -> None:
    """Bring the number of CPUs to what is wanted.

    Without ``cpus_max`` the maximum grows where it must, and never shrinks. A running domain gets
    more CPUs at once, and loses some with its next start.
    """
    have, have_max = cpus_of(editor.tree)
    wanted = spec.cpus if spec.cpus is not None else have
    ceiling = spec.cpus_max or max(wanted, have_max)
    wanted = min(wanted, ceiling)

    def edit(count: int, maximum: int) -> None:
        element = ensure(editor.tree, "vcpu")
        element.text = str(maximum)
        put(element, current=str(count) if count != maximum else None)

    if ceiling != have_max:
        editor.change("cpus_max", lambda: edit(min(have, ceiling), ceiling))
    possible = min(wanted, have_max) if editor.running else wanted
    if editor.running and possible < have:
        editor.change("cpus", lambda: None)  # a guest may refuse, and then hangs on to the request
    elif possible != have:
        live = Live("vcpus", str(possible), str(have))
        maximum = have_max if editor.running else ceiling
        editor.change("cpus", lambda: edit(possible, maximum), live)
    if editor.running and wanted > have_max:
        editor.change("cpus", lambda: None)


def _memory_ceiling(
    asked: int | None, wanted: int, have: int, have_max: int, *, running: bool
) -> int:
    """Return the maximum to set for an amount that is wanted."""
    if asked is not None:
        return asked
    if wanted > have_max:
        return wanted
    follows = have == have_max and not running
    return wanted if follows else have_max


def edit_memory(editor: Editor, spec: VmSpec) -> None:
    """Bring memory to what is wanted.

    Without ``memory_max`` the maximum grows where it must, and shrinks where there was no
    head-room: a guest without a balloon driver uses all of the maximum.
    """
    have_max = memory_of(editor.tree, "memory") or 0
    have = memory_of(editor.tree, "currentMemory") or have_max
    wanted = _kib(spec.memory) if spec.memory is not None else have
    asked = _kib(spec.memory_max) if spec.memory_max is not None else None
    ceiling = _memory_ceiling(asked, wanted, have, have_max, running=editor.running)
    wanted = min(wanted, ceiling)

    def edit(size: int, maximum: int) -> None:
        for tag, value in (("memory", maximum), ("currentMemory", size)):
            element = ensure(editor.tree, tag)
            element.text = str(value // 1024)
            put(element, unit="KiB")

    if ceiling != have_max:
        editor.change("memory_max", lambda: edit(min(have, ceiling), ceiling))
    possible = min(wanted, have_max) if editor.running else wanted
    if possible != have and (editor.memory_live or not editor.running):
        live = Live("memory", str(possible), str(have))
        maximum = have_max if editor.running else ceiling
        editor.change("memory", lambda: edit(possible, maximum), live)
    if editor.running and wanted > have_max:
        editor.change("memory", lambda: None)


def _kib(size: int) -> int:
    """Round up to whole KiB, as libvirt does."""
    return -(-size // 1024) * 1024


def _edit_cpu(editor: Editor, cpu: Cpu) -> None:
    element = editor.tree.find("cpu")
    have_mode = None if element is None else element.get("mode")
    have_model = None if element is None else element.findtext("model")
    if cpu.mode and (cpu.mode != have_mode or (cpu.model and cpu.model != have_model)):
        editor.change("cpu.mode", lambda: _set_cpu_mode(editor.tree, cpu))
    names = ("sockets", "dies", "cores", "threads")
    wanted = {n: str(v) for n in names if (v := getattr(cpu, n)) is not None}
    have = {} if element is None else dict(getattr(element.find("topology"), "attrib", {}))
    if wanted and any(have.get(n, "1") != v for n, v in wanted.items()):
        editor.change("cpu.topology", lambda: _set_topology(editor.tree, {**have, **wanted}))
    disabled = {
        f.get("name")
        for f in editor.tree.iterfind("cpu/feature")
        if f.get("policy") in ("disable", "forbid")
    }
    for feature in sorted(set(cpu.disable) - disabled):
        editor.change("cpu.disable", lambda f=feature: _disable(editor.tree, f))  # type: ignore[misc]


def _set_cpu_mode(tree: Element, cpu: Cpu) -> None:
    element = ensure(tree, "cpu")
    put(element, mode=cpu.mode, match="exact" if cpu.mode == "custom" else None, check=None)
    remove(element, "model")
    if cpu.model:
        model = add(element, "model", cpu.model, fallback="forbid")
        element.remove(model)
        element.insert(0, model)


def _set_topology(tree: Element, values: dict[str, str]) -> None:
    topology = ensure(tree, "cpu/topology")
    for name in ("sockets", "dies", "cores", "threads"):
        topology.set(name, values.get(name, "1"))


def _disable(tree: Element, feature: str) -> None:
    cpu = ensure(tree, "cpu")
    for old in cpu.findall("feature"):
        if old.get("name") == feature:
            cpu.remove(old)
    add(cpu, "feature", policy="disable", name=feature)


def _edit_os(editor: Editor, spec: VmSpec, machine: str | None) -> None:
    kind = editor.tree.find("os/type")
    if kind is None:
        return
    have_machine = kind.get("machine")
    if spec.machine and not same_machine(spec.machine, have_machine):
        editor.change("machine", lambda: kind.set("machine", machine))
    if spec.arch and spec.arch != kind.get("arch"):
        editor.change("arch", lambda: kind.set("arch", spec.arch))
    if spec.firmware is not None:
        wanted = (spec.firmware.type, bool(spec.firmware.secure_boot))
        have = firmware_of(editor.tree)
        same_boot = spec.firmware.secure_boot is None or wanted[1] == have[1]
        if wanted[0] != have[0] or not same_boot:
            editor.change("firmware", lambda: set_firmware(editor.tree, *wanted))


def same_machine(wanted: str, have: str | None) -> bool:
    """Whether a machine is as wanted: of an alias (q35, pc) libvirt stores the versioned name."""
    versioned = (
        f"pc-{wanted}-" if wanted == "q35" else f"{'pc-i440fx' if wanted == 'pc' else wanted}-"
    )
    return have == wanted or bool(have and have.startswith(versioned))


def firmware_of(tree: Element) -> tuple[str, bool]:
    """Return bios or uefi, and whether secure boot is on."""
    loader = tree.find("os/loader")
    uefi = attr(tree, "os", "firmware") == "efi" or (
        loader is not None and loader.get("type") == "pflash"
    )
    features = tree.iterfind("os/firmware/feature")
    secure = any(f.get("name") == "secure-boot" and f.get("enabled") == "yes" for f in features)
    return ("uefi" if uefi else "bios"), secure or attr(tree, "os/loader", "secure") == "yes"


def set_firmware(tree: Element, kind: str, secure: bool) -> None:
    """Let libvirt choose the firmware's files (``firmware='efi'``, libvirt 5.2; features 7.2)."""
    system = ensure(tree, "os")
    for tag in ("loader", "nvram", "firmware"):
        remove(system, tag)
    put(system, firmware="efi" if kind == "uefi" else None)
    if kind == "uefi":
        features = add(system, "firmware")
        flag = "yes" if secure else "no"
        add(features, "feature", enabled=flag, name="secure-boot")
        add(features, "feature", enabled=flag, name="enrolled-keys")
        if secure:
            put(ensure(tree, "features/smm"), state="on")


def _edit_kernel(editor: Editor, boot: KernelBoot) -> None:
    for tag in ("kernel", "initrd", "cmdline"):
        wanted = getattr(boot, tag)
        if wanted is not None and wanted != editor.tree.findtext(f"os/{tag}"):
            editor.change(
                f"kernel_boot.{tag}",
                lambda t=tag, w=wanted: setattr(ensure(editor.tree, f"os/{t}"), "text", w),  # type: ignore[misc]
            )
