# SPDX-License-Identifier: Apache-2.0
"""When NetBox fails: a sentence that says what to do, no made-up answer, no secret."""

from __future__ import annotations

import datetime
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hostler.backends.netbox import Netbox
from hostler.errors import (
    BackendError,
    Denied,
    HostlerError,
    InvalidInput,
    Timeout,
    Unreachable,
)
from hostler.models.netbox import NetboxConfig
from hostler.testing.netbox import FakeNetbox

pytestmark = pytest.mark.slow

TOKEN = "0123456789abcdef0123456789abcdef01234567"
LOGIN = "<!doctype html><html><title>Log in | NetBox</title></html>"


@pytest.fixture
def box() -> Iterator[FakeNetbox]:
    with FakeNetbox(token=TOKEN) as netbox:
        netbox.add_tenant("Acme", group="Investors")
        netbox.add_device("gpu-1", tenant="Acme")
        yield netbox


def ask(url: str, **settings: Any) -> tuple[Any, list[str]]:
    client = Netbox(NetboxConfig.model_validate({"url": url, "token": TOKEN, **settings}))
    try:
        return client.hosts(["gpu-1"])
    finally:
        client.close()


def failed(url: str, **settings: Any) -> HostlerError:
    with pytest.raises(HostlerError) as caught:
        ask(url, **settings)
    assert TOKEN not in f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r}"
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("call", [1, 2], ids=["devices", "tenants"])
@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "says", "hint"),
    [
        (401, {"detail": "Token expired"}, {}, Denied, "Token expired (401", "NETBOX_TOKEN"),
        (403, {"detail": "You do not have permission."}, {}, Denied, "do not have", "may read"),
        (403, LOGIN, {}, Denied, "403 Forbidden", "may read"),
        (404, {"detail": "Not found."}, {}, BackendError, "not one of NetBox's", "netbox.url"),
        (404, LOGIN, {}, BackendError, "not one of NetBox's API", "netbox.url"),
        (400, {"site": ["Select a valid choice."]}, {}, InvalidInput, "site: Select", "fleet.yml"),
        (429, {"detail": "Throttled."}, {"Retry-After": "7"}, Unreachable, "Throttled", "in 7 s"),
        (429, LOGIN, {"Retry-After": "soon"}, Unreachable, "429 Too Many", "later"),
        (500, {"error": "boom", "exception": "E"}, {}, Unreachable, "boom (500", "number"),
        (502, LOGIN, {}, Unreachable, "502 Bad Gateway", "later"),
        (503, {"detail": "Maintenance."}, {}, Unreachable, "Maintenance", "later"),
        (200, LOGIN, {}, BackendError, "not one of NetBox's API", "netbox.url"),
        (200, "", {}, BackendError, "not one of NetBox's API", "netbox.url"),
        (200, {"hello": "world"}, {}, BackendError, "not one of NetBox's", "netbox.url"),
        (200, {"results": []}, {}, BackendError, "not one of NetBox's", "netbox.url"),
        (204, "", {}, BackendError, "not one of NetBox's", "netbox.url"),
        (302, "", {"Location": "https://n/login/?next=x"}, BackendError,
         "sends us on to https://n/login/.", "netbox.url"),
        (405, {"detail": "Method not allowed."}, {}, BackendError, "Method not", "netbox.url"),
        (None, None, {}, Unreachable, "no connection", "that NetBox runs"),
    ],
)  # fmt: skip
def test_bad_answers(  # noqa: PLR0913, PLR0917 - a table
    box: FakeNetbox,
    call: int,
    status: int | None,
    body: Any,
    headers: dict[str, str],
    kind: type[HostlerError],
    says: str,
    hint: str,
) -> None:
    box.fail(status, body, call=call, headers=headers)
    error = failed(box.url)
    assert type(error) is kind
    assert says in str(error)
    assert hint in error.hint
    assert error.on == f"NetBox {box.url}"
    assert "<" not in str(error)
    hosts, _ = ask(box.url)  # a failure is not kept
    assert hosts["gpu-1"].owner_group == "Investors"


def test_json_that_is_no_list_of_netbox_s(box: FakeNetbox) -> None:
    for body in ("[]", "7", "null", '{"results": {}}', '{"count": 1, "results": [null]}'):
        box.fail(200, body)
        assert "not one of NetBox's API" in str(failed(box.url))


def test_devices_that_were_not_asked_for(box: FakeNetbox) -> None:
    for number in range(500):
        box.add_device(f"router-{number}")
    box.ignore_filters = True
    error = failed(box.url)
    assert type(error) is BackendError
    assert "it returned 'router-0', which was not asked for" in str(error)
    assert len(box.calls) == 1


def test_tenants_that_were_not_asked_for(box: FakeNetbox) -> None:
    other = {"id": 9, "name": "Other", "group": None}
    box.fail(200, {"count": 1, "next": None, "previous": None, "results": [other]}, call=2)
    assert "it returned 9, which was not asked for" in str(failed(box.url))


def test_a_wrong_token(box: FakeNetbox) -> None:
    error = failed(box.url, token="f" * 40)
    assert type(error) is Denied
    assert "Invalid v1 token" in error.what
    assert "Authentication credentials were not" in failed(box.url, token=None).what


def test_a_site_that_is_not(box: FakeNetbox) -> None:
    error = failed(box.url, site="ca9")
    assert type(error) is InvalidInput
    assert "site: Select a valid choice. ca9 is not one of the available choices" in error.what


def test_an_address_that_is_no_netbox(box: FakeNetbox) -> None:
    assert "without '/api'" in failed(f"{box.url}/elsewhere").hint


def test_nobody_there() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        error = failed(f"http://127.0.0.1:{held.getsockname()[1]}")
    assert type(error) is Unreachable
    assert "no connection: Connection refused" in str(error)


def test_a_name_that_is_not_known() -> None:
    error = failed("http://netbox.invalid")
    assert type(error) is Unreachable
    assert "no connection" in error.what


def test_a_netbox_that_does_not_answer(box: FakeNetbox) -> None:
    box.delay = 5
    error = failed(box.url, timeout=1)
    assert type(error) is Timeout
    assert "netbox.timeout" in error.hint


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    error = failed("http://netbox.example.com")
    assert type(error) is Unreachable
    assert "its proxy fails" in error.what


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "netbox test")])
    now = datetime.datetime.now(datetime.UTC)
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(addresses, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "netbox.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
    return file


@pytest.fixture
def secure(certificate: Path) -> Iterator[FakeNetbox]:
    with FakeNetbox(token=TOKEN, certificate=certificate) as netbox:
        netbox.add_device("gpu-1")
        yield netbox


def test_a_certificate_that_is_not_trusted(secure: FakeNetbox) -> None:
    error = failed(secure.url)
    assert type(error) is BackendError
    assert "no trusted connection" in error.what
    assert "self-signed certificate" in error.what
    assert "netbox.ca_file" in error.hint
    assert secure.calls == []


def test_a_certificate_that_is(secure: FakeNetbox, certificate: Path) -> None:
    assert ask(secure.url, ca_file=str(certificate))[0]["gpu-1"].source == "netbox"


def test_what_the_environment_trusts(
    secure: FakeNetbox, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    assert ask(secure.url)[0]["gpu-1"].source == "netbox"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_no_trust_needed(secure: FakeNetbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", __file__)  # the file's word is the last one
    assert ask(secure.url, verify_tls=False)[0]["gpu-1"].source == "netbox"


def test_certificates_that_cannot_be_read(secure: FakeNetbox, tmp_path: Path) -> None:
    error = failed_at_once(secure.url, str(tmp_path / "missing.pem"))
    assert "missing.pem': it can't be read: No such file" in str(error)
    (tmp_path / "text.pem").write_text("not a certificate")
    error = failed_at_once(secure.url, str(tmp_path / "text.pem"))
    assert "text.pem': there is no certificate in it" in str(error)


def failed_at_once(url: str, ca_file: str) -> HostlerError:
    with pytest.raises(InvalidInput) as caught:
        ask(url, ca_file=ca_file)
    return caught.value


def test_http_where_https_is_spoken(secure: FakeNetbox) -> None:
    assert type(failed(secure.url.replace("https:", "http:"))) is Unreachable


def test_https_where_http_is_spoken(box: FakeNetbox) -> None:
    assert "no trusted connection" in failed(box.url.replace("http:", "https:")).what
