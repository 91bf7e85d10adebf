# SPDX-License-Identifier: Apache-2.0
"""Addresses, what of them is shown, and checksums."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.errors import Conflict, InvalidInput
from hostler.models.storage import StorageVolumeTask
from hostler.models.url import masked, secrets_of
from hostler.storage import whole_file
from hostler.storage.sources import _listed

A, B = "a" * 64, "B" * 64


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://example.com/i.raw", "https://example.com/i.raw"),
        ("https://me:pw@example.com:81/i.raw", "https://**********@example.com:81/i.raw"),
        ("HTTPS://token@example.com/i", "https://**********@example.com/i"),
        ("https://example.com/i?sig=abc#part", "https://example.com/i?**********"),
        ("https://a@b:c@example.com/", "https://**********@example.com/"),
        ("/srv/a:b@c?d", "/srv/a:b@c?d"),
    ],
)
def test_what_is_shown(address: str, shown: str) -> None:
    assert masked(address) == shown


WORD = st.text("abcdefgh0123456789%-._~", min_size=12, max_size=20)


@given(user=WORD, password=WORD, query=WORD)
def test_no_secret_is_shown(user: str, password: str, query: str) -> None:
    address = f"https://{user}:{password}@example.com/image?{query}"
    assert not any(secret in masked(address) for secret in (user, password, query))
    assert {password, query} <= set(secrets_of(address))
    assert masked(masked(address)) == masked(address)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{B}  other\n{A}  i.raw\n", A),
        (f"{A} *i.raw\n", A),
        (f"{A}  ./some/where/i.raw", A),
        (f"SHA256 (i.raw) = {A}\n", A),
        (f"SHA256 (with spaces (1).raw) = {B}\nSHA256 (i.raw) = {A}", A),
        (f"{A}\n", A),
        (f"{A}  other\n", None),
        (f"{A}\n{B}\n", None),
        (f"{'c' * 128}  i.raw", None),
        ("i.raw\n", None),
        ("", None),
    ],
)
def test_lists(text: str, found: str | None) -> None:
    assert _listed(text, "i.raw", 64) == found


@given(st.text(max_size=200))
def test_any_list_is_read(text: str) -> None:
    assert _listed(text, "i.raw", 64) is None


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"image": "ftp://example.com/x"}, "ftp:// can't be read"),
        ({"image": "http:///x"}, "an address is like"),
        ({"image": "http://[::1/x"}, "image:"),
        ({"image": ""}, "image:"),
        ({"image": "x", "checksum": "md5:0"}, "starts with sha256: or sha512:"),
        ({"image": "x", "checksum": "sha256:zz"}, "64 hexadecimal digits"),
        ({"image": "x", "checksum": f"sha512:{A}"}, "128 hexadecimal digits"),
        ({"checksum": f"sha256:{A}"}, "checksum is for an image"),
        ({"download_to": "x", "size": "1GiB"}, "leave the rest out"),
        ({"download_to": "x", "image": "y"}, "leave the rest out"),
        ({"download_to": "x", "state": "absent"}, "leave the rest out"),
    ],
)
def test_what_makes_no_sense(wish: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        StorageVolumeTask.parse({"pool": "p", "name": "v", **wish})
    assert words in str(caught.value)


def test_digits_in_capitals() -> None:
    task = StorageVolumeTask.parse(
        {"pool": "p", "name": "v", "image": "x", "checksum": f"sha256:{B}"}
    )
    assert task.checksum == f"sha256:{B.lower()}"


@given(st.lists(st.sampled_from([b"", b"\0" * 5, b"a\0", b"b" * 9]), max_size=6))
def test_a_file_is_written_whole(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]
) -> None:
    file = tmp_path_factory.mktemp("f") / "x"
    whole_file.write_whole(file, parts)
    assert file.read_bytes() == b"".join(parts)
    assert whole_file.same_content(file, parts)
    assert not whole_file.same_content(file, [*parts, b"!"])
    file.write_bytes(b"!" + b"".join(parts))
    assert not whole_file.same_content(file, parts)


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    whole_file.write_whole(whole_file.file_at(str(tmp_path / "link")), [b"new"])
    assert (tmp_path / "real").read_bytes() == b"new"
    assert (tmp_path / "link").is_symlink()


def test_a_file_that_another_one_has_just_put_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was opened under its other name, and locked when it had its own: not to be emptied."""
    file = tmp_path / "x"
    real = fcntl.flock

    def late(stream: int, how: int) -> None:
        whole_file.part_of(file).replace(file)
        real(stream, how)

    whole_file.part_of(file).write_bytes(b"whole")
    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(Conflict):
        whole_file.write_whole(file, [b"second"])
    assert file.read_bytes() == b"whole"
