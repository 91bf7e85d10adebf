# SPDX-License-Identifier: Apache-2.0
"""Images: what a file is, and that one which was cut short is seen."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from hostler.errors import InvalidInput, NotFound
from hostler.vms.images import read_image


@pytest.fixture
def qcow2(tmp_path: Path) -> Path:
    """A qcow2 image of 2 MiB, all of it written."""
    raw, image = tmp_path / "image.raw", tmp_path / "image.qcow2"
    raw.write_bytes(bytes(range(1, 256)) * 8224 + b"x" * 32)
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", raw, image], check=True)
    return image


def test_raw(tmp_path: Path) -> None:
    image = tmp_path / "i"
    image.write_bytes(b"x" * 4096)
    facts = read_image(str(image))
    assert (facts.format, facts.capacity, facts.size) == ("raw", 4096, 4096)


def test_qcow2(qcow2: Path) -> None:
    facts = read_image(str(qcow2))
    assert (facts.format, facts.capacity, facts.size) == ("qcow2", 2097152, qcow2.stat().st_size)


@pytest.mark.parametrize("part", [0.001, 0.02, 0.1, 0.3, 0.6, 0.9, 0.96])
def test_truncated_qcow2(qcow2: Path, part: float) -> None:
    data = qcow2.read_bytes()
    qcow2.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(InvalidInput, match="truncated qcow2"):
        read_image(str(qcow2))


def test_compressed_qcow2_is_whole(qcow2: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.qcow2"
    subprocess.run(["qemu-img", "convert", "-c", "-O", "qcow2", qcow2, small], check=True)
    assert read_image(str(small)).capacity == 2097152


def test_checksum(tmp_path: Path) -> None:
    image = tmp_path / "i"
    image.write_bytes(b"x")
    assert read_image(str(image), f"sha256:{hashlib.sha256(b'x').hexdigest()}").size == 1
    with pytest.raises(InvalidInput, match="checksum"):
        read_image(str(image), f"sha256:{hashlib.sha256(b'y').hexdigest()}")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such file"):
        read_image(str(tmp_path / "nowhere"))
