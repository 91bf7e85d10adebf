# SPDX-License-Identifier: Apache-2.0
"""A VM that is there: what changes in its definition, what goes live, what waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from hostler.errors import InvalidInput
from hostler.models.vm import VmSpec
from hostler.models.vm_task import VmOptions, VmTask
from hostler.plan.plan import Plan
from hostler.vms.domain.editor import Change, Editor
from hostler.vms.domain.extras import wanted_password
from hostler.vms.domain.metadata import stamp
from hostler.vms.domain.read import pending
from hostler.vms.domain.tree import memory_of, parse, serialise
from hostler.vms.planner.create import shown, work_out
from hostler.vms.planner.edit import Parts, apply_spec
from hostler.vms.planner.power import power_steps, status_after, stop_step
from hostler.vms.planner.whole_xml import edit_whole
from hostler.vms.steps import (
    ChangeLive,
    DefineDomain,
    RenameDomain,
    SetAutostart,
    SetGraphicsPassword,
    StartDomain,
)

if TYPE_CHECKING:
    from hostler.backends.libvirt.domains import DomainState
    from hostler.plan.step import Step
    from hostler.vms.observe import Observed


@dataclass
class Update:
    """What was found out about an update, before it is put in order.

    Attributes:
        config: the edited definition; active: the running domain as it will be.
        live: changes that go live; blocked: fields that wait for a restart.
    """

    config: Editor
    active: Editor | None
    parts: Parts
    live: list[Change] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    password: SecretStr | None = None
    old_password: bool = True

    @property
    def pending(self) -> list[str]:
        """Name what the running domain lacks of the new definition."""
        return [] if self.active is None else pending(self.config.tree, self.active.tree)


def plan_update(task: VmTask, observed: Observed) -> Plan:
    """Plan the changes of an existing VM."""
    domain = observed.domain
    if domain is None:
        raise InvalidInput("there is no such VM")
    update = _edit(task.spec, domain, observed)
    stops = _stops(task, domain, update)
    if domain.persistent and update.config.changes:
        stamp(update.config.tree, observed.now, created=False)
    steps = _ordered(task, domain, update, observed, stops=stops)
    return _plan(task, domain, update, observed, steps, stops=stops)


def _edit(spec: VmSpec, domain: DomainState, observed: Observed) -> Update:
    on = f"VM {domain.name!r}"
    config = Editor.of(domain.inactive_xml, on=on)
    if spec.xml is not None:
        edit_whole(config, spec, observed)
        parts = Parts()
    else:
        parts = work_out(spec, config.tree, observed)
        apply_spec(config, spec, parts)
    update = Update(config, None, parts)
    update.password = wanted_password(spec)
    update.old_password = observed.password_same is not False
    if domain.active_xml is None:
        return update
    fields = {change.field for change in config.changes}
    active = Editor.of(domain.active_xml, running=True, on=on)
    active.memory_live = bool(fields & {"memory", "memory_max"}) or _starved(spec, domain, observed)
    update.active = active
    if spec.xml is None:
        apply_spec(active, spec, parts)
        update.live = [change for change in active.changes if change.live is not None]
        update.blocked = sorted({c.field for c in active.changes if c.live is None})
    else:
        update.blocked = update.pending if config.changes else []
    return update


def _starved(spec: VmSpec, domain: DomainState, observed: Observed) -> bool:
    """Whether a guest whose balloon answers has less memory than is wanted."""
    have = memory_of(parse(domain.active_xml or domain.inactive_xml), "currentMemory")
    return bool(observed.balloon and spec.memory and have and have < spec.memory)


def _stops(task: VmTask, domain: DomainState, update: Update) -> bool:
    """Whether the VM is stopped on the way; what can't be done while it runs decides.

    Raises:
        InvalidInput: it would have to be stopped, and must not be.
    """
    if domain.active_xml is None:
        return False
    options = task.options
    if options.state in ("stopped", "restarted"):
        return True
    renamed = task.spec.new_name not in (None, domain.name)
    if renamed and not options.allow_restart:
        raise InvalidInput(
            "it must be stopped before it is renamed",
            hint="Stop it first, or say allow_restart: true.",
        )
    if not domain.persistent:
        return False
    return options.allow_restart and (renamed or bool(update.blocked))


def _ordered(
    task: VmTask, domain: DomainState, update: Update, observed: Observed, *, stops: bool
) -> list[Step]:
    uri, name, options = observed.host.uri, domain.name, task.options
    running = domain.active_xml is not None
    config = _config_steps(task, domain, update, observed)
    if stops:
        back = options.state != "stopped"
        paused = options.state == "paused" or (
            options.state == "present" and domain.status == "paused"
        )
        final = str(task.spec.new_name or name)
        start: list[Step] = [StartDomain(uri=uri, name=final, paused=paused)] if back else []
        cold = _cold_growth(update)
        stop = stop_step(uri, name, domain.status, options)
        return [stop, *update.parts.steps, *cold, *config, *start, *update.parts.cleanup]
    if running:
        live = _live_steps(uri, name, update)
        power = power_steps(uri, name, domain.status, options)
        return [*update.parts.steps, *config, *live, *power, *update.parts.cleanup]
    cold = _cold_growth(update)
    final = str(task.spec.new_name or name)
    power = power_steps(uri, final, domain.status, options)
    return [*update.parts.steps, *cold, *config, *power, *update.parts.cleanup]


def _config_steps(
    task: VmTask, domain: DomainState, update: Update, observed: Observed
) -> list[Step]:
    uri, name, steps = observed.host.uri, domain.name, list[Any]()
    password = update.password if not update.old_password else None
    if domain.persistent and (update.config.changes or password):
        steps.append(
            DefineDomain(
                uri=uri,
                name=name,
                uuid=domain.uuid,
                xml=serialise(update.config.tree),
                before_xml=domain.inactive_xml,
                password=password,
            )
        )
    new_name = task.spec.new_name
    if new_name and new_name != name:
        steps.append(RenameDomain(uri=uri, name=name, uuid=domain.uuid, new_name=new_name))
    if task.spec.autostart is not None and task.spec.autostart != domain.autostart:
        final = new_name or name
        steps.append(SetAutostart(uri=uri, name=final, on=task.spec.autostart))
    return steps


def _cold_growth(update: Update) -> list[Step]:
    for disk in update.parts.disks:
        if disk.grow_live and not disk.grow_cold:
            raise InvalidInput(
                f"disk {disk.disk.target} is in no storage pool: it grows only while the VM runs",
                hint="Start the VM first, or make a pool of the disk's folder.",
            )
    return [step for disk in update.parts.disks for step in disk.grow_cold]


def _live_steps(uri: str, name: str, update: Update) -> list[Step]:
    steps: list[Step] = []
    made: set[tuple[str, str]] = set()
    for change in update.live:
        live = change.live
        if live is None or (live.kind, live.value) in made:
            continue
        made.add((live.kind, live.value))
        steps.append(
            ChangeLive(
                uri=uri,
                name=name,
                what=live.kind,
                field=change.field,
                value=live.value,
                before=live.before,
            )
        )
    steps += [step for disk in update.parts.disks for step in disk.grow_live]
    if update.password is not None and not update.old_password:
        steps.append(SetGraphicsPassword(uri=uri, name=name, password=update.password))
    return steps


def _plan(
    task: VmTask,
    domain: DomainState,
    update: Update,
    observed: Observed,
    steps: list[Step],
    *,
    stops: bool,
) -> Plan:
    name = str(task.spec.new_name or domain.name)
    stays = domain.active_xml is not None and not stops
    sizes = observed.sizes | {
        str(d.disk.target): d.size for d in update.parts.disks if d.size is not None
    }
    before = _shown_before(domain, observed)
    if not steps:
        return _nothing(domain, update, before, restart=stays and bool(update.blocked))
    after = shown(update.config.tree, sizes, update.parts.generated)
    autostart = domain.autostart if task.spec.autostart is None else task.spec.autostart
    status = _status_after(task.options, domain, stops=stops)
    after = {"name": name, **after, "status": status, "autostart": autostart}
    waits = update.pending if stays else []
    if waits:
        after["changes_pending"] = waits
    if update.password is not None and not update.old_password:
        after["graphics_password"] = "(new)"  # noqa: S105 - a word for people
    restart = stays and bool(update.blocked)
    return Plan(
        target=f"vm/{domain.name}",
        summary=_summary(domain, update, steps),
        before=before,
        after=after,
        warnings=_warnings(domain, update, restart=restart),
        facts={"restart_required": restart, "changes_pending": waits},
        steps=steps,
    )


def _nothing(domain: DomainState, update: Update, before: dict[str, Any], *, restart: bool) -> Plan:
    return Plan(
        target=f"vm/{domain.name}",
        summary=f"VM {domain.name} is as wanted",
        before=before,
        after=before,
        warnings=_warnings(domain, update, restart=restart),
        facts={
            "restart_required": restart,
            "changes_pending": before.get("changes_pending", []),
        },
    )


def _shown_before(domain: DomainState, observed: Observed) -> dict[str, Any]:
    tree = parse(domain.inactive_xml)
    found = {"name": domain.name, **shown(tree, observed.sizes, {})}
    found |= {"status": domain.status, "autostart": domain.autostart}
    if domain.active_xml is not None:
        waits = pending(tree, parse(domain.active_xml))
        if waits:
            found["changes_pending"] = waits
    return found


def _status_after(options: VmOptions, domain: DomainState, *, stops: bool) -> str:
    if stops and options.state == "present":
        return "paused" if domain.status == "paused" else "running"
    return status_after(domain.status, options)


def _summary(domain: DomainState, update: Update, steps: list[Step]) -> str:
    fields = sorted({c.field for c in [*update.config.changes, *update.live]})
    grown = [f"disks.{d.disk.target}.size" for d in update.parts.disks if d.grow_live]
    if update.password is not None and not update.old_password:
        fields.append("graphics password")
    if fields or grown:
        return f"change {', '.join([*fields, *grown])} of VM {domain.name}"
    return f"{steps[0].summary.split(' domain ')[0]} VM {domain.name}"


def _warnings(domain: DomainState, update: Update, *, restart: bool) -> list[str]:
    warnings = []
    if restart:
        warnings.append(
            f"{', '.join(update.blocked)} can't change while it runs; in effect after a restart"
        )
    if domain.managed_save and update.config.changes:
        warnings.append(
            "there is a saved memory state: the changes come into effect after it "
            "was started from that and stopped again"
        )
    if not domain.persistent and update.blocked:
        warnings.append(f"it is transient: {', '.join(update.blocked)} can't change")
    return warnings
