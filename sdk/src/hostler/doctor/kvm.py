# SPDX-License-Identifier: Apache-2.0
"""Does a guest really run under KVM here? Asked of a guest, not of a flag.

Some machines (nested ones above all) have a /dev/kvm that starts guests and then emulates every
instruction of theirs: libvirt offers KVM, the domain is 'running', and its kernel never arrives.
So a tiny guest is run: it goes the way of every x86 kernel (real mode, protected mode, paging, long
mode), counts down from 100 million there, and writes one letter to its serial port. That takes
some 0.1 s on a processor, and minutes where instructions are emulated.

The answer is kept until the machine is booted again or its QEMU changes.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

PROBE_SECONDS = 6
"""What the guest gets: 50 times what it needs on a processor."""

_CODE = bytes.fromhex(
    # 16 bit, at 0xffff0000
    "fa"  #                     cli
    "2e660f0116a800"  #         lgdt  cs:[0xa8]
    "0f20c0 0c01 0f22c0"  #     cr0 |= 1: protected mode
    "66ea1800ffff0800"  #       jmp   0x08:0xffff0018
    # 32 bit, at 0xffff0018: maps the last 2 MiB below 4 GiB, where this code is, to themselves
    "b810000000 8ed8"  #        ds = 0x10
    "c7050010000003200000"  #   [0x1000] = 0x2003      page map level 4
    "c7051820000003300000"  #   [0x2018] = 0x3003      page directory pointers, 4th GiB
    "c705f83f00008300e0ff"  #   [0x3ff8] = 0xffe00083  page directory, last 2 MiB page
    "0f20e0 83c820 0f22e0"  #   cr4 |= 0x20: physical address extension
    "b800100000 0f22d8"  #      cr3 = 0x1000
    "b9800000c0 0f32 0d00010000 0f30"  # EFER (0xc0000080) |= 0x100: long mode
    "0f20c0 0d00000080 0f22c0"  #        cr0 |= 1 << 31: paging
    "ea6e00ffff1800"  #         jmp   0x18:0xffff006e
    # 64 bit, at 0xffff006e
    "b900e1f505"  #             ecx = 100,000,000
    "ffc9 75fc"  #              count down to 0
    "66baf803 b04b ee"  #       out   0x3f8, 'K': the serial port
    "66baf90c b006 ee"  #       out   0xcf9, 6: reset, which ends qemu -no-reboot
    "f4 6690"  #                hlt
    # at 0xffff0088: segments; their 'accessed' bits are set, as this is ROM
    "0000000000000000"  #       none
    "ffff0000009bcf00"  #       0x08: code, 32 bit
    "ffff00000093cf00"  #       0x10: data
    "ffff0000009baf00"  #       0x18: code, 64 bit
    "1f008800ffff"  #           at 0xffff00a8: where they are
)
_RESET_VECTOR = b"\xe9\x0d\x00"  # at 0xfffffff0, where a processor starts: jmp 0xffff0000
_ROM_BYTES = 65536


def kvm_works(emulator: str, *, seconds: float = PROBE_SECONDS) -> bool | None:
    """Say whether a guest runs under KVM on this machine; the first time a probe finds out.

    Args:
        emulator: path of QEMU's x86-64 system emulator.
        seconds: how long a probe may take.

    Returns:
        None where this process can't find out: another architecture, no such emulator, or no
        access to /dev/kvm (libvirt's QEMU may have it all the same).
    """
    if not Path("/dev/kvm").exists():
        return False
    key = _key(emulator)
    if key is None or not emulator.endswith(("x86_64", "qemu-kvm")):
        return None
    kept = _kept()
    if key in kept:
        return kept[key]
    works = probe(emulator, seconds=seconds)
    if works is not None:
        _keep({key: works})
    return works


def probe(
    emulator: str, *, accelerator: str = "kvm", seconds: float = PROBE_SECONDS
) -> bool | None:
    """Run the tiny guest, whatever is kept; see ``kvm_works``."""
    with tempfile.NamedTemporaryFile(suffix=".rom") as rom:
        rom.write(rom_image())
        rom.flush()
        command = [emulator, "-accel", accelerator, "-machine", "q35", "-m", "16"]
        command += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
        command += ["-serial", "stdio", "-bios", rom.name]
        try:
            ran = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            return False
        except OSError:
            return None
    return True if b"K" in ran.stdout else None


def rom_image() -> bytes:
    """Return the tiny guest as a firmware image of 64 KiB."""
    rom = bytearray(_ROM_BYTES)
    rom[: len(_CODE)] = _CODE
    rom[0xFFF0 : 0xFFF0 + len(_RESET_VECTOR)] = _RESET_VECTOR
    return bytes(rom)


def forget() -> None:
    """Forget the kept answer, so that the next question is a probe."""
    _file().unlink(missing_ok=True)


def _key(emulator: str) -> str | None:
    """Name this boot and this QEMU."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        binary = Path(emulator).stat()
    except OSError:
        return None
    return f"{boot} {emulator} {binary.st_mtime_ns} {binary.st_size}"


def _file() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "hostler" / "kvm-probe.json"


def _kept() -> dict[str, bool]:
    try:
        kept = json.loads(_file().read_text())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _keep(answer: dict[str, bool]) -> None:
    """Write the answer by a rename, so that no reader ever sees half of it."""
    file = _file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as new:
            json.dump(answer, new)
        Path(new.name).replace(file)
    except OSError:
        return  # a cache that can't be written is one that is not used
