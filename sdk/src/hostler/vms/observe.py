# SPDX-License-Identifier: Apache-2.0
"""Reads all that a plan needs to know: bulk calls first, what is asked per VM side by side."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hostler.backends.libvirt.domains import DomainState
from hostler.backends.libvirt.facts import HostFacts
from hostler.backends.libvirt.faults import translated
from hostler.backends.libvirt.hypervisor import Hypervisor
from hostler.backends.libvirt.volumes import PoolState, VolumeState
from hostler.errors import HostlerError, NotFound
from hostler.models.vm import VmSpec
from hostler.models.vm_task import VmTask
from hostler.vms.domain.disks import drives, source_of
from hostler.vms.domain.extras import wanted_password
from hostler.vms.domain.tree import attr, parse
from hostler.vms.images import ImageFacts, read_image

DEFAULT_POOL = "default"


@dataclass(frozen=True)
class HostView:
    """What is the same for every VM of a request."""

    uri: str
    facts: HostFacts
    names: dict[str, str]
    networks: dict[str, bool]
    pools: dict[str, PoolState]
    volume_names: dict[str, frozenset[str]]
    kvm_works: bool | None = None


@dataclass(frozen=True)
class Observed:
    """The world as one VM's planner sees it.

    Attributes:
        domain: the VM, None where there is none of that name.
        volumes: volumes by pool and name: those that the spec names and those of the domain.
        disks: the domain's disks' volumes by target; sizes: what the guest sees, in bytes.
        others: paths of disks that other domains use (read for ``absent`` with ``delete_disks``).
        password_same: whether the graphics password is the wanted one (None: not asked).
        balloon: the guest's balloon driver answers (asked where memory is wanted).
        new_uuid, new_macs, now: what a new definition takes, so that planning stays pure.
    """

    host: HostView
    domain: DomainState | None
    template: DomainState | None = None
    volumes: dict[tuple[str, str], VolumeState] = field(default_factory=dict)
    disks: dict[str, VolumeState] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    template_disks: dict[str, VolumeState] = field(default_factory=dict)
    others: frozenset[str] = frozenset()
    images: dict[str, ImageFacts] = field(default_factory=dict)
    password_same: bool | None = None
    balloon: bool = False
    new_uuid: str = ""
    new_macs: tuple[str, ...] = ()
    now: str = ""


def observe(
    hypervisor: Hypervisor,
    tasks: Sequence[VmTask],
    ask_kvm: Callable[[Hypervisor], bool],
) -> list[Observed | HostlerError]:
    """Read the world for tasks; what fails for one of them is that one's own answer.

    ``ask_kvm`` says whether a guest is known to boot under KVM; asked only where a task leaves
    the choice to us.
    """
    specs = [task.spec for task in tasks]
    templates = {s.from_template.vm for s in specs if s.from_template and s.from_template.vm}
    renamed = {s.new_name for s in specs if s.new_name}
    domains = hypervisor.domains.read({s.name for s in specs} | templates | renamed)
    pools = _pools(hypervisor, specs)
    host = HostView(
        uri=hypervisor.uri,
        facts=hypervisor.facts,
        names=hypervisor.domains.names() if any(s.new_name for s in specs) else {},
        networks=_networks(hypervisor) if _needs_networks(tasks, domains) else {},
        pools=pools,
        volume_names={name: hypervisor.volumes.names(name) for name in pools},
        kvm_works=ask_kvm(hypervisor) if _needs_kvm(hypervisor, tasks, domains) else None,
    )
    others = _paths_in_use(hypervisor) if any(_deletes(t) for t in tasks) else {}

    def one(task: VmTask) -> Observed | HostlerError:
        try:
            used = frozenset(p for n, ps in others.items() if n != task.spec.name for p in ps)
            return _observe_one(hypervisor, host, domains, task, used)
        except HostlerError as error:
            return error

    return hypervisor.pipeline(one, tasks)


def _needs_kvm(
    hypervisor: Hypervisor, tasks: Iterable[VmTask], domains: dict[str, DomainState]
) -> bool:
    new = [t.spec for t in tasks if t.spec.name not in domains and t.options.state != "absent"]
    open_choice = any(s.virt_type in (None, "auto") and not s.xml for s in new)
    return open_choice and hypervisor.facts.driver == "QEMU"


def _deletes(task: VmTask) -> bool:
    return task.options.state == "absent" and not task.options.preserve_volumes


def _observe_one(
    hypervisor: Hypervisor,
    host: HostView,
    domains: dict[str, DomainState],
    task: VmTask,
    others: frozenset[str],
) -> Observed:
    spec = task.spec
    domain = domains.get(spec.name) or domains.get(spec.new_name or "")
    template = domains.get(spec.from_template.vm or "") if spec.from_template else None
    looks = bool(spec.disks or spec.cdroms or spec.cloud_init or task.options.state == "absent")
    disks = _disks(hypervisor, domain) if domain and looks else {}
    return Observed(
        host=host,
        domain=domain,
        template=template,
        volumes=_volumes(hypervisor, host, spec),
        disks=disks,
        sizes=_sizes(hypervisor, domain, disks) if domain and spec.disks else {},
        template_disks=_disks(hypervisor, template) if template else {},
        others=others,
        images=_images(spec, domain),
        password_same=_password_same(hypervisor, spec, domain.name) if domain else None,
        balloon=_balloon(hypervisor, domain) if domain and spec.memory else False,
        new_uuid=str(uuid.uuid4()),
        new_macs=tuple(_mac() for _ in range(len(spec.networks or ()) + 16)),
        now=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _mac() -> str:
    """Return a random address with QEMU's prefix."""
    return "52:54:00:" + ":".join(f"{b:02x}" for b in secrets.token_bytes(3))


def _needs_networks(tasks: Iterable[VmTask], domains: dict[str, DomainState]) -> bool:
    return any(
        t.options.state != "absent" and (t.spec.networks or t.spec.name not in domains)
        for t in tasks
    )


def _networks(hypervisor: Hypervisor) -> dict[str, bool]:
    with translated(f"networks of {hypervisor.uri}"):
        return {n.name(): bool(n.isActive()) for n in hypervisor.read().listAllNetworks()}


def pools_of(spec: VmSpec) -> set[str]:
    """Return the pools that a spec names, or means by leaving them out."""
    names = set()
    for disk in spec.disks:
        if not disk.path:
            names.add(disk.pool or DEFAULT_POOL)
        for other in (disk.backing, disk.clone):
            if other is not None:
                names.add(other.pool or disk.pool or DEFAULT_POOL)
    names |= {c.pool or DEFAULT_POOL for c in spec.cdroms if c.volume}
    if spec.cloud_init is not None:
        names.add(seed_pool(spec))
    if spec.from_template is not None:
        names.add(spec.from_template.pool)
    return names


def seed_pool(spec: VmSpec) -> str:
    """Return the pool of the cloud-init seed."""
    first = next((d.pool for d in spec.disks if d.pool), None)
    return (spec.cloud_init and spec.cloud_init.pool) or first or DEFAULT_POOL


def _pools(hypervisor: Hypervisor, specs: Iterable[VmSpec]) -> dict[str, PoolState]:
    names = sorted({name for spec in specs for name in pools_of(spec)})
    found = hypervisor.pipeline(hypervisor.volumes.pool, names)
    return {pool.name: pool for pool in found if pool is not None}


def _volumes(
    hypervisor: Hypervisor, host: HostView, spec: VmSpec
) -> dict[tuple[str, str], VolumeState]:
    wanted = {(c.pool or DEFAULT_POOL, c.volume) for c in spec.cdroms if c.volume}
    for disk in spec.disks:
        pool = disk.pool or DEFAULT_POOL
        wanted.add((pool, disk.volume or ""))
        wanted |= {(o.pool or pool, o.volume) for o in (disk.backing, disk.clone) if o}
    if spec.from_template and spec.from_template.volume:
        wanted.add((spec.from_template.pool, spec.from_template.volume))
    known = sorted((p, v) for p, v in wanted if v and p in host.pools)
    found = hypervisor.pipeline(lambda key: hypervisor.volumes.find(*key), known)
    return {(v.pool, v.name): v for v in found if v is not None}


def _disks(hypervisor: Hypervisor, domain: DomainState) -> dict[str, VolumeState]:
    """Return the volumes of a domain's drives by target; paths outside of pools are left out."""
    found = {}
    tree = parse(domain.inactive_xml)
    for drive in [*drives(tree, "disk"), *drives(tree, "cdrom")]:
        source, volume = source_of(drive), None
        if source and source.path:
            volume = hypervisor.volumes.find_path(source.path)
        elif source and source.pool and source.volume:
            volume = hypervisor.volumes.find(source.pool, source.volume)
        if volume is not None:
            found[str(attr(drive, "target", "dev"))] = volume
    return found


def _sizes(
    hypervisor: Hypervisor, domain: DomainState, disks: dict[str, VolumeState]
) -> dict[str, int]:
    """Return the sizes that the guest sees: of a running one by QEMU, else by the volume."""
    if domain.active_xml is None:
        return {target: volume.capacity for target, volume in disks.items()}
    targets = [str(attr(d, "target", "dev")) for d in drives(parse(domain.active_xml), "disk")]
    domains = hypervisor.domains
    return {t: domains.block_capacity(domain.name, t) for t in targets}


def _balloon(hypervisor: Hypervisor, domain: DomainState) -> bool:
    asked = domain.active_xml is not None and "<stats period=" in domain.active_xml
    return asked and hypervisor.domains.balloon_answers(domain.name)


def _paths_in_use(hypervisor: Hypervisor) -> dict[str, set[str]]:
    """Return every disk path by domain, with what is below it in its chain."""
    volumes = hypervisor.volumes

    def of(state: DomainState) -> set[str]:
        found: set[str] = set()
        for xml in (state.inactive_xml, state.active_xml):
            tree = parse(xml) if xml else None
            elements = [] if tree is None else tree.iterfind("devices/disk//source")
            found |= {p for e in elements if (p := e.get("file") or e.get("dev"))}
        for path in list(found):
            volume = volumes.find_path(path)
            while volume is not None and volume.backing and volume.backing not in found:
                found.add(volume.backing)
                volume = volumes.find_path(volume.backing)
        return found

    states = hypervisor.domains.read(hypervisor.domains.names())
    return dict(zip(states, hypervisor.pipeline(of, states.values()), strict=True))


def _images(spec: VmSpec, domain: DomainState | None) -> dict[str, ImageFacts]:
    """Read the images of disks that are still to be made: the others' files may be gone."""
    have = [] if domain is None else drives(parse(domain.inactive_xml), "disk")
    targets = {attr(d, "target", "dev") for d in have}
    names = {(s.volume or s.path or "").rsplit("/", 1)[-1] for d in have if (s := source_of(d))}
    unnamed = [d for d in spec.disks if not (d.target or d.volume or d.path)]
    made = [d for d in spec.disks if d.target in targets or d.volume in names]
    made += unnamed[: len(have) - len(made)]
    return {
        d.image: read_image(d.image, d.image_checksum)
        for d in spec.disks
        if d.image and d.state == "present" and d not in made
    }


def _password_same(hypervisor: Hypervisor, spec: VmSpec, name: str) -> bool | None:
    password = wanted_password(spec)
    if password is None:
        return None
    try:
        return hypervisor.domains.same_password(name, password.get_secret_value())
    except NotFound:
        return None
