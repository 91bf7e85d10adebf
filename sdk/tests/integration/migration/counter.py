# SPDX-License-Identifier: Apache-2.0
"""A real guest that counts on its second serial port, wherever it is."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from typing import Any

import libvirt
import libvirt_qemu

from hostler import Fleet
from hostler.models.vm_migration import VmMigrationResult

from .moves import IMAGES, STATE, A, B, disk_of, places, wait_for

NAME = "counts"
NAMES = {A: "a", B: "b"}
FILLED = "dd if=/dev/urandom of=/run/kept bs=1M count=4; echo written > /persist/kept; sync"
"""Puts something into the guest's memory, and on its disk."""
LOOK = "echo 3 > /proc/sys/vm/drop_caches; md5sum < /run/kept; cat /persist/kept"
BUSY = (
    "dd if=/dev/urandom of=/run/r bs=1M count=4; "
    "(while :; do cat /run/r > /run/w; done) </dev/null >/dev/null 2>&1 &"
)
"""Has the guest write to its memory faster than a slow connection carries it."""
XML = f"""
<domain type='qemu'><name>{NAME}</name><memory unit='MiB'>96</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type>
<kernel>/var/lib/libvirt/guest/vmlinuz</kernel><initrd>/var/lib/libvirt/guest/initrd.img</initrd>
<cmdline>console=ttyS0 quiet panic=1 tsc=reliable net.ifnames=0 count</cmdline></os>
<features><acpi/></features><devices>
<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
<source file='{IMAGES}/{NAME}.qcow2'/><target dev='vda' bus='virtio'/></disk>
<disk type='file' device='cdrom'><source file='{IMAGES}/{NAME}.iso'/>
<target dev='sda' bus='scsi'/><readonly/></disk>
<controller type='scsi' model='virtio-scsi'/>
<serial type='file'><source path='/var/log/libvirt/qemu/{NAME}-0.log' append='on'/></serial>
<serial type='file'><source path='/var/log/libvirt/qemu/{NAME}-1.log' append='on'/></serial>
<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
</devices></domain>"""


class Counter:
    """The guest: booted on A, and asked by its agent where it is now."""

    def __init__(self) -> None:
        self._text, self._read = "", dict.fromkeys(NAMES, 0)
        make_files()
        connection = libvirt.open(A)
        connection.storagePoolLookupByName("default").refresh()
        connection.defineXML(XML).create()
        connection.close()
        wait_for(self.numbers, 60)

    def read(self, uri: str) -> None:
        """Read on in what a host's log has of it."""
        with (STATE / NAMES[uri] / "log" / "qemu" / f"{NAME}-1.log").open() as log:
            log.seek(self._read[uri])
            self._text += log.read()
            self._read[uri] = log.tell()

    def numbers(self) -> list[str]:
        """All whole lines that it wrote, on whichever host."""
        self.read(self.uri)
        return self._text.rpartition("\n")[0].split()

    def counts_on(self) -> None:
        """Hold that it writes still, and has never missed a number or written one twice."""
        before = len(self.numbers())
        wait_for(lambda: len(self.numbers()) > before + 5)
        wrong = [pair for pair in enumerate(self.numbers(), 1) if str(pair[0]) != pair[1]]
        assert not wrong, f"{wrong[:3]} of {len(self.numbers())}"

    @property
    def uri(self) -> str:
        """The one host that it is on, where it runs."""
        ((uri, (state, persistent)),) = places(NAME).items()
        assert (state, persistent) == (libvirt.VIR_DOMAIN_RUNNING, True)
        return uri

    def away(self) -> tuple[str, str]:
        """Return where it is and the other host, from which its old disk is removed."""
        uri, target = (A, B) if self.uri == A else (B, A)
        connection = libvirt.open(target)
        pool = connection.storagePoolLookupByName("default")
        if f"{NAME}.qcow2" in pool.listVolumes():
            pool.storageVolLookupByName(f"{NAME}.qcow2").delete()
        connection.close()
        return uri, target

    def move(self, fleet: Fleet, **options: Any) -> VmMigrationResult:
        """Move it to the other host, with its disk."""
        told = options.pop("told", None)
        uri, target = self.away()
        task = {"vm": NAME, "target_uri": target, "storage": "copy", **options}
        done = fleet.migrations.run([task], uri=uri, on_progress=told)[0]
        self.read(uri)  # a line may have begun there, and end on the target
        return done

    def ask(self, command: str) -> str:
        """Run a shell command inside; returns what it printed."""
        connection = libvirt.open(self.uri)
        domain = connection.lookupByName(NAME)
        arguments = {"path": "/bin/sh", "arg": ["-c", command], "capture-output": True}
        pid = _agent(domain, "guest-exec", arguments)["pid"]
        for _ in range(200):
            done = _agent(domain, "guest-exec-status", {"pid": pid})
            if done["exited"]:
                connection.close()
                return base64.b64decode(done.get("out-data", "")).decode().strip()
            time.sleep(0.05)
        raise AssertionError(f"{command!r} has not ended in the guest")


def make_files() -> None:
    """Make the guest's disk and its seed on A, and the disk's backing file on both."""
    base = disk_of("a", f"{NAME}-base.raw")
    with base.open("wb") as file:
        file.truncate(16 << 20)
    form = ["-T", "32768", "-h", "64", "-s", "32", "-v", "HOSTLER", "::"]
    subprocess.run(["mformat", "-i", base, *form], check=True)  # the guest mounts it by its label
    shutil.copy(base, disk_of("b", base.name))
    disk = disk_of("a", f"{NAME}.qcow2")
    make = ["qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "raw"]
    subprocess.run([*make, "-b", f"{IMAGES}/{base.name}", disk, "16M"], check=True)
    disk.chmod(0o666)
    disk_of("a", f"{NAME}.iso").write_bytes(b"seed" * 512)


def _agent(domain: libvirt.virDomain, command: str, arguments: dict[str, Any]) -> Any:
    text = json.dumps({"execute": command, "arguments": arguments})
    return json.loads(libvirt_qemu.qemuAgentCommand(domain, text, 10, 0))["return"]
