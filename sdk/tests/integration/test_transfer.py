# SPDX-License-Identifier: Apache-2.0
"""Content of volumes from web servers and to files, on a real libvirtd; all that can go wrong."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from hostler import Fleet
from hostler.backends import web
from hostler.models.storage import StorageVolumeResult
from hostler.storage.whole_file import part_of

from .rig import Rig
from .state import dump
from .test_defects import halting
from .web import LOGIN, QUERY, Server, serving

PLACE = "/var/lib/libvirt/pools"
CONTENT = b"".join(
    hashlib.sha256(bytes([n % 256, n // 256 % 256, n // 65536])).digest() for n in range(3 << 15)
)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SHA512 = hashlib.sha512(CONTENT).hexdigest()
DISK = "<disk type='volume'><source pool='tank' volume='data'/><target dev='vda'/>{}</disk>"
DIES = Path(__file__).parent / "dies_sending.py"
GROWS = Path(__file__).parent / "grows.py"

MakeFleet = Callable[..., Fleet]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(CONTENT) as served:
        yield served


@pytest.fixture(autouse=True)
def _pool(host: Rig, fleet: Fleet) -> Iterator[None]:
    """A pool ``tank`` that has room for two images and a little."""
    host.inside("mkdir", "-p", f"{PLACE}/tank")
    host.inside("mount", "-t", "tmpfs", "-o", "size=8M", "tmpfs", f"{PLACE}/tank")
    (made,) = fleet.storage.run_pools([{"name": "tank", "path": f"{PLACE}/tank"}])
    assert made.error is None
    yield
    connection = libvirt.open(host.uri)
    pool = connection.storagePoolLookupByName("tank")
    pool.destroy()
    pool.undefine()
    connection.close()
    host.inside("umount", f"{PLACE}/tank")


def run(fleet: Fleet, *, check: bool = False, **wish: Any) -> StorageVolumeResult:
    (result,) = fleet.storage.volumes.run([{"pool": "tank", "name": "data", **wish}], check=check)
    return result


def inside(host: Rig) -> str:
    return host.inside("sha256sum", f"{PLACE}/tank/data").split()[0]


def test_a_volume_from_a_web_server(fleet: Fleet, host: Rig, server: Server) -> None:
    wish: dict[str, Any] = {"image": f"{server.url}/image.raw", "checksum": f"sha256:{SHA256}"}
    before = dump(host.uri)
    shown = run(fleet, check=True, **wish)
    assert dump(host.uri) == before
    told: list[float] = []
    (made,) = fleet.storage.volumes.run(
        [{"pool": "tank", "name": "data", **wish}],
        on_progress=lambda progress: told.append(progress.fraction),
    )
    assert made.error is None
    assert made.plan
    assert shown.plan
    assert made.plan.commands == shown.plan.commands
    assert made.after == shown.after == {"size": "3MiB", "format": "raw"}
    assert inside(host) == SHA256
    assert len({fraction for fraction in told if 0 < fraction < 1}) > 5
    server.asked.clear()
    assert not run(fleet, **wish).changed
    assert server.asked == []  # one that is there is not compared: the server may be gone


def test_a_qcow2_image_and_more_room(fleet: Fleet, tmp_path: Path) -> None:
    image = tmp_path / "i.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "16M"], check=True)
    with serving(image.read_bytes()) as server:
        made = run(fleet, image=f"{server.url}/i.qcow2", size="32MiB")
    assert made.error is None
    assert made.volume
    assert (made.volume.format, made.volume.capacity) == ("qcow2", 32 << 20)


@pytest.mark.parametrize(
    ("algorithm", "text"),
    [
        ("sha256", f"{'0' * 64}  other.raw\n{SHA256}  image.raw\n"),
        ("sha256", f"{SHA256} *./image.raw\n"),
        ("sha256", f"{SHA256}\n"),
        ("sha512", f"# sums\n\nSHA512 (image.raw) = {SHA512}\n"),
    ],
)
def test_lists_of_checksums(fleet: Fleet, server: Server, algorithm: str, text: str) -> None:
    server.lists["SUMS"] = text
    made = run(
        fleet,
        image=f"{server.url}/redirect/image.raw",
        checksum=f"{algorithm}:{server.url}/SUMS",
    )
    assert made.error is None


@pytest.mark.fault
@pytest.mark.parametrize(
    ("way", "code", "words"),
    [
        ("missing", "not_found", "404 Not Found"),
        ("broken", "backend", "503 Service Unavailable"),
        ("loop", "backend", "redirected again and again"),
        ("page", "backend", "a page, not a file"),
        ("empty", "invalid_input", "the file is empty"),
        ("chunked", "invalid_input", "does not tell how long"),
        ("login", "denied", "401 Unauthorized"),
        ("cut", "plan_failed", "the connection was cut after 1572864 of 3145728 bytes"),
        ("silent", "plan_failed", "said nothing for 1 s"),
        ("changing", "plan_failed", "bytes now, and had"),
        ("other", "plan_failed", "its checksum is sha256:"),
    ],
)
def test_servers_that_fail(
    fleet: Fleet,
    host: Rig,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    code: str,
    words: str,
) -> None:
    monkeypatch.setattr(web, "SILENT_SECONDS", 1)
    before = dump(host.uri)
    failed = run(fleet, image=f"{server.url}/{way}/i.raw", checksum=f"sha256:{SHA256}")
    assert failed.error_code == code
    assert words in str(failed.error)
    assert not failed.changed
    assert dump(host.uri) == before
    assert fleet.journal.list(unfinished=True) == []
    assert run(fleet, image=f"{server.url}/i.raw").error is None


@pytest.mark.fault
@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1:1/i.raw", "Connection refused"),
        ("http://no-such-host.invalid/i.raw", "no connection"),
        ("https://", "an address is like"),
        ("ftp://example.com/i.raw", "ftp:// can't be read"),
    ],
)
def test_addresses_of_nobody(fleet: Fleet, address: str, words: str) -> None:
    assert words in str(run(fleet, image=address).error)


@pytest.mark.fault
def test_a_list_without_the_image(fleet: Fleet, server: Server) -> None:
    server.lists["SUMS"] = f"{SHA256}  other.raw\n{SHA256}  third.raw\n"
    failed = run(fleet, image=f"{server.url}/i.raw", checksum=f"sha256:{server.url}/SUMS")
    assert failed.error_code == "not_found"
    assert "it has no sha256 of i.raw" in str(failed.error)


def test_a_slow_server(fleet: Fleet, host: Rig, server: Server) -> None:
    assert run(fleet, image=f"{server.url}/slow/i.raw").error is None
    assert inside(host) == SHA256


def test_no_secret_is_told(fleet: Fleet, server: Server, tmp_path: Path) -> None:
    host = server.url.removeprefix("http://")
    for way, login in (("login", LOGIN), ("missing", LOGIN), ("cut", LOGIN), ("login", "a:pa55")):
        address = f"http://{login}@{host}/{way}/i.raw?{QUERY}"
        shown = run(
            fleet, check=True, image=address, checksum=f"sha256:{server.url}/login/x?{QUERY}"
        )
        done = run(fleet, image=address)
        told = done.model_dump_json() + shown.model_dump_json()
        run(fleet, state="absent")
        assert "pa55" not in told
        assert QUERY not in told
    kept = (tmp_path / "journal.db").read_bytes() + (tmp_path / "journal.db-wal").read_bytes()
    assert b"**********@127.0.0.1" in kept
    assert b"pa55" not in kept
    assert QUERY.encode() not in kept


@pytest.mark.fault
def test_a_pool_that_is_full(fleet: Fleet, host: Rig, server: Server) -> None:
    host.inside("sh", "-c", f"head -c 6M /dev/urandom > {PLACE}/tank/filler")
    host.inside("virsh", "-q", "pool-refresh", "tank")
    before = dump(host.uri)
    failed = run(fleet, image=f"{server.url}/i.raw")
    assert failed.error_code == "plan_failed"
    assert dump(host.uri) == before


def kill_while_sending(host: Rig, tmp_path: Path, wish: dict[str, Any]) -> None:
    """Run a task in a process that is killed (-9) with a half sent."""
    task = {"pool": "tank", "name": "data", **wish}
    store = f"sqlite:///{tmp_path}/journal.db"
    done = subprocess.run([sys.executable, DIES, host.uri, store, json.dumps(task)], check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.fault
@pytest.mark.parametrize("again", ["run", "resume", "undo", "absent"])
def test_killed_while_uploading(
    fleet: Fleet, host: Rig, server: Server, tmp_path: Path, again: str
) -> None:
    wish: dict[str, Any] = {"image": f"{server.url}/i.raw", "checksum": f"sha256:{SHA256}"}
    before = dump(host.uri)
    kill_while_sending(host, tmp_path, wish)
    assert inside(host) != SHA256
    (left,) = fleet.journal.list(unfinished=True)
    refused = run(fleet, download_to=str(tmp_path / "copy"))
    assert "it is not whole" in str(refused.error)
    if again == "run":
        half = dump(host.uri)
        shown = run(fleet, check=True, **wish)
        assert dump(host.uri) == half
        made = run(fleet, **wish)
        assert made.error is None
        assert made.plan
        assert shown.plan
        assert made.plan.commands == shown.plan.commands
        assert "interrupted" in made.plan.warnings[0]
    elif again == "resume":
        fleet.runner.resume(left.plan.id)
    elif again == "undo":
        fleet.runner.undo(left.plan.id)
    else:
        assert run(fleet, state="absent").error is None
    assert fleet.journal.list(unfinished=True) == []
    if again in ("run", "resume"):
        assert inside(host) == SHA256
        assert not run(fleet, **wish).changed
    else:
        assert dump(host.uri) == before


@pytest.mark.fault
def test_half_a_volume_that_a_vm_has_stays(
    fleet: Fleet, host: Rig, server: Server, tmp_path: Path, connection: libvirt.virConnect
) -> None:
    wish: dict[str, Any] = {"image": f"{server.url}/i.raw"}
    kill_while_sending(host, tmp_path, wish)
    connection.defineXML(halting("web", DISK.format("")))
    before = dump(host.uri)
    refused = run(fleet, **wish)
    assert refused.error_code == "conflict"
    assert "in use: web" in str(refused.error)
    assert dump(host.uri) == before


@pytest.mark.fault
def test_the_daemon_dies_while_it_takes_an_upload(
    fleet: Fleet, host: Rig, server: Server, make_fleet: MakeFleet
) -> None:
    killed: list[bool] = []

    def kill(progress: Any) -> None:
        if progress.fraction > 0.4 and not killed and "upload" in progress.summary:
            killed.append(True)
            host.kill_daemon()

    wish: dict[str, Any] = {"image": f"{server.url}/i.raw"}
    task = {"pool": "tank", "name": "data", **wish}
    (failed,) = fleet.storage.volumes.run([task], on_progress=kill)
    assert killed
    assert failed.error
    host.restart_daemon()
    assert run(make_fleet(host.uri), **wish).error is None
    assert inside(host) == SHA256
    assert fleet.journal.list(unfinished=True) == []


@pytest.fixture
def filled(fleet: Fleet, server: Server) -> None:
    assert run(fleet, image=f"{server.url}/i.raw").error is None


@pytest.mark.usefixtures("filled")
def test_a_download(fleet: Fleet, host: Rig, tmp_path: Path) -> None:
    file = tmp_path / "out" / "data.raw"
    file.parent.mkdir()
    before = dump(host.uri)
    shown = run(fleet, check=True, download_to=str(file))
    assert not file.exists()
    told: list[float] = []
    (done,) = fleet.storage.volumes.run(
        [{"pool": "tank", "name": "data", "download_to": str(file)}],
        on_progress=lambda progress: told.append(progress.fraction),
    )
    assert done.error is None
    assert done.after == shown.after == {"size": "3MiB", "format": "raw", "download_to": str(file)}
    assert file.read_bytes() == CONTENT
    assert any(0 < fraction < 1 for fraction in told)
    assert not run(fleet, download_to=str(file)).changed
    file.write_bytes(CONTENT[:-1] + b"?")
    assert run(fleet, check=True, download_to=str(file)).changed
    assert run(fleet, download_to=str(file)).changed
    assert file.read_bytes() == CONTENT
    assert dump(host.uri) == before
    assert [one.name for one in file.parent.iterdir()] == ["data.raw"]


def test_holes_stay_holes(fleet: Fleet, tmp_path: Path) -> None:
    assert run(fleet, size="64MiB", format="raw").error is None
    file = tmp_path / "data.raw"
    assert run(fleet, download_to=str(file)).error is None
    assert file.stat().st_size == 64 << 20
    assert file.stat().st_blocks * 512 < 1 << 20


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("disk", ["", "<readonly/>"])
def test_a_running_vm_writes(
    fleet: Fleet, connection: libvirt.virConnect, tmp_path: Path, disk: str
) -> None:
    file = tmp_path / "data.raw"
    connection.createXML(halting("web", DISK.format(disk)))
    got = run(fleet, download_to=str(file))
    if disk:
        assert got.error is None
        return
    assert got.error_code == "conflict"
    assert "web" in str(got.error)
    forced = run(fleet, download_to=str(file), force=True)
    assert forced.error is None
    assert forced.plan
    assert "web" in forced.plan.warnings[0]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("{0}", "it is a folder"),
        ("{0}/no/such/file", "there is no folder"),
        ("/dev/null", "no plain file"),
    ],
)
@pytest.mark.usefixtures("filled")
def test_places_that_can_t_be(fleet: Fleet, tmp_path: Path, path: str, words: str) -> None:
    failed = run(fleet, download_to=path.format(tmp_path))
    assert failed.error_code == "invalid_input"
    assert words in str(failed.error)


def test_no_volume_to_download(fleet: Fleet, tmp_path: Path) -> None:
    failed = run(fleet, download_to=str(tmp_path / "x"))
    assert failed.error_code == "not_found"


@pytest.mark.fault
@pytest.mark.usefixtures("filled")
def test_a_full_disk_here(fleet: Fleet, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", small], check=True)
    try:
        failed = run(fleet, download_to=str(small / "data.raw"))
        assert "No space left on device" in str(failed.error)
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)
    assert fleet.journal.list(unfinished=True) == []


@pytest.mark.fault
@pytest.mark.usefixtures("filled")
def test_killed_while_downloading(fleet: Fleet, host: Rig, tmp_path: Path) -> None:
    file = tmp_path / "data.raw"
    kill_while_sending(host, tmp_path, {"download_to": str(file)})
    assert not file.exists()
    assert part_of(file).exists()
    (left,) = fleet.journal.list(unfinished=True)
    assert run(fleet, download_to=str(file)).error is None
    assert file.read_bytes() == CONTENT
    assert not part_of(file).exists()
    fleet.runner.resume(left.plan.id)
    assert not run(fleet, download_to=str(file)).changed


@pytest.mark.fault
@pytest.mark.usefixtures("filled")
def test_the_daemon_dies_while_it_gives(fleet: Fleet, host: Rig, tmp_path: Path) -> None:
    file = tmp_path / "data.raw"
    killed: list[bool] = []

    def kill(progress: Any) -> None:
        if progress.fraction > 0.3 and not killed:
            killed.append(True)
            host.kill_daemon()

    task = {"pool": "tank", "name": "data", "download_to": str(file)}
    (failed,) = fleet.storage.volumes.run([task], on_progress=kill)
    assert killed
    assert failed.error
    assert [one for one in tmp_path.iterdir() if "data.raw" in one.name] == []
    host.restart_daemon()
    assert run(fleet, download_to=str(file)).error is None


@pytest.mark.fault
@pytest.mark.usefixtures("filled")
def test_two_write_one_file(fleet: Fleet, tmp_path: Path) -> None:
    file = tmp_path / "data.raw"
    second: list[StorageVolumeResult] = []

    def again(progress: Any) -> None:
        if progress.fraction > 0.3 and not second:
            second.append(run(fleet, download_to=str(file)))

    task = {"pool": "tank", "name": "data", "download_to": str(file)}
    (first,) = fleet.storage.volumes.run([task], on_progress=again)
    assert first.error is None
    assert "another process is writing it" in str(second[0].error)
    assert file.read_bytes() == CONTENT


def test_the_image_is_never_whole_in_memory(host: Rig, tmp_path: Path) -> None:
    """Streams of several times what a process may take, read slower than they come."""
    host.inside("mount", "-o", "remount,size=300M", f"{PLACE}/tank")
    big = tmp_path / "big.raw"
    with big.open("wb") as stream:
        for _ in range(200):
            stream.write(CONTENT[: 1 << 20])
    with serving(b"") as server:
        server.file = big
        address, store = f"{server.url}/file/i.raw", f"sqlite:///{tmp_path}/journal.db"
        words = [sys.executable, str(GROWS), host.uri, store, address]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 40 << 10
