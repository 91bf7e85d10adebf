# SPDX-License-Identifier: Apache-2.0
"""Which NetBox holds: what is given, the environment, fleet.yml. No token goes astray."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.errors import InvalidInput, MissingLibrary
from hostler.files import load_config
from hostler.models.netbox import NetboxConfig
from hostler.models.problems import sentence

URL, OTHER = "https://netbox.example.com", "https://other.example.com"


def settings(**fields: Any) -> NetboxConfig:
    return NetboxConfig.model_validate(fields)


def token(config: NetboxConfig | None) -> str | None:
    assert config
    return config.token.get_secret_value() if config.token else None


@pytest.mark.parametrize(
    "url", [URL, f"{URL}/", f"{URL}/api", f"{URL}/api/", f" {URL} ", f"{URL}//"]
)
def test_the_address_in_every_spelling(url: str) -> None:
    assert settings(url=url).url == URL


def test_addresses_with_a_port_and_a_path() -> None:
    assert settings(url="http://[::1]:8000/box/").url == "http://[::1]:8000/box"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"url": "netbox.example.com"}, "url: must be an address such as https://"),
        ({"url": "ftp://netbox.example.com"}, "url: must be an address"),
        ({"url": "https://"}, "url: must be an address"),
        ({"url": "https://n:99999"}, "url: must be an address"),
        ({"url": "https://me:hunter2@n"}, "url: must have no user"),
        ({"url": "https://n?token=hunter2"}, "url: must have no user, '?' or '#'"),
        ({"token": "hunter2 x"}, "token: is empty, or has spaces"),
        ({"token": "hunter2\nx"}, "token: is empty, or has spaces"),
        ({"token": "hunter2é"}, "token: is empty, or has spaces"),
        ({"token": " "}, "token: is empty"),
        ({"owner_group": "custom_field"}, "custom_field needs owner_group_field"),
        ({"owner_group": "mapping"}, "mapping needs owner_groups"),
        ({"timeout": 0}, "timeout"),
        ({"urll": URL}, "urll: there is no such option"),
    ],
)
def test_settings_that_cannot_be(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**fields)
    assert says in sentence(caught.value)
    assert "hunter2" not in sentence(caught.value)


@pytest.mark.parametrize(
    ("file", "environment", "given", "expected"),
    [
        ({}, {}, {}, None),
        ({"token": "f"}, {}, {}, None),
        ({"url": URL, "token": "f"}, {}, {}, (URL, "f")),
        ({}, {"NETBOX_URL": URL, "NETBOX_TOKEN": "e\n"}, {}, (URL, "e")),
        ({"url": URL}, {"NETBOX_TOKEN": "e"}, {}, (URL, "e")),
        ({"url": URL, "token": "f"}, {"NETBOX_TOKEN": "e"}, {}, (URL, "e")),
        ({"url": URL, "token": "f"}, {"NETBOX_URL": f"{URL}/"}, {}, (URL, "f")),
        ({"url": URL, "token": "f"}, {"NETBOX_URL": OTHER}, {}, (OTHER, None)),
        ({"url": URL, "token": "f"}, {}, {"url": OTHER}, (OTHER, None)),
        ({"url": URL}, {"NETBOX_URL": "", "NETBOX_TOKEN": ""}, {}, (URL, None)),
        ({}, {"NETBOX_URL": OTHER, "NETBOX_TOKEN": "e"}, {"url": URL, "token": "g"}, (URL, "g")),
    ],
)
def test_who_comes_before_whom(
    file: dict[str, str],
    environment: dict[str, str],
    given: dict[str, str],
    expected: tuple[str, str | None] | None,
) -> None:
    found = settings(**file).resolved(environment, **given)  # type: ignore[arg-type]
    assert (found and (found.url, token(found))) == expected


def test_the_rest_is_kept() -> None:
    config = settings(url=URL, site="ca1", owner_group="mapping", owner_groups={"a": "b"})
    found = config.resolved({}, required=True)
    assert found == config.model_copy(update={"required": True})


def test_a_bad_environment_is_told_without_its_secret() -> None:
    with pytest.raises(InvalidInput, match="token: is empty, or has spaces") as caught:
        settings(url=URL).resolved({"NETBOX_TOKEN": "hunter2 x"})
    assert "hunter2" not in str(caught.value)


def test_fleet_yml(tmp_path: Path) -> None:
    file = tmp_path / "fleet.yml"
    file.write_text(f"netbox: {{url: {URL}/, owner_group: mapping, owner_groups: {{Acme: Us}}}}")
    config = load_config(file).netbox
    assert config
    assert (config.url, config.owner_groups) == (URL, {"Acme": "Us"})
    assert FleetConfig().netbox is None


def test_secrets_are_not_shown() -> None:
    config = settings(url=URL, token="hunter2")
    assert "hunter2" not in repr(config) + str(config) + config.model_dump_json()


def test_a_fleet_has_a_netbox_where_its_address_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    with Fleet(FleetConfig()) as fleet:
        assert fleet.netbox is None
    monkeypatch.setenv("NETBOX_URL", URL)
    with Fleet(FleetConfig(), netbox_token="x", netbox_required=True) as fleet:
        assert str(fleet.netbox) == f"NetBox {URL}"
        assert fleet.netbox is fleet.netbox
        assert fleet.netbox
        assert fleet.netbox.config.required
        assert token(fleet.netbox.config) == "x"


def test_without_its_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *args: Any) -> Any:
        if name == "hostler.backends.netbox":
            raise ImportError("No module named 'pynetbox'")
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingLibrary, match=r"pip install 'hostler\[netbox\]'"):
        _ = Fleet(FleetConfig(), netbox_url=URL).netbox
