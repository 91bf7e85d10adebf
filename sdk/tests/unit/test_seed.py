# SPDX-License-Identifier: Apache-2.0
"""Cloud-init seeds: same content, same name; they fit the volume that is made for them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostler.models.vm import VmSpec
from hostler.vms.seed import Seed, make_seed, seed_image


def seed(instance: str = "v", **cloud_init: Any) -> Seed:
    spec = VmSpec.model_validate({"name": "v", "cloud_init": cloud_init})
    assert spec.cloud_init
    return make_seed(spec, spec.cloud_init, [], instance)


def test_same_content_same_digest() -> None:
    assert seed(hostname="a").digest == seed(hostname="a").digest
    assert seed(hostname="a").digest != seed(hostname="b").digest
    assert seed("v").digest != seed("w").digest


def test_text_is_taken_as_it_is() -> None:
    assert seed(user_data="#!/bin/sh\necho hi\n").user_data == "#!/bin/sh\necho hi\n"


def test_keys_go_where_both_readers_look() -> None:
    made = seed(ssh_keys=["ssh-ed25519 AAAA me"])
    assert "public-keys" in made.meta_data
    assert "ssh_authorized_keys" in made.user_data


def test_static_addresses() -> None:
    nics = [{"address": "10.0.0.2/24", "gateway": "10.0.0.1"}, {}]
    spec = VmSpec.model_validate({"name": "v", "networks": nics, "cloud_init": {}})
    assert spec.cloud_init
    made = make_seed(spec, spec.cloud_init, ["52:54:00:00:00:01", "52:54:00:00:00:02"], "v")
    assert made.network_config
    assert "10.0.0.2/24" in made.network_config
    assert "dhcp4: true" in made.network_config


@given(st.text(max_size=200), st.integers(0, 3_000_000))
@settings(max_examples=20, deadline=None)
def test_image_fits_its_volume(text: str, filler: int) -> None:
    made = Seed(text, "#cloud-config\n" + "x" * filler, text or None)
    image = seed_image(made.meta_data, made.user_data, made.network_config)
    assert len(image) <= made.capacity


@pytest.mark.parametrize("secret", ["user_data", "network_config"])
def test_documents_are_secrets(secret: str) -> None:
    spec = VmSpec.model_validate({"name": "v", "cloud_init": {secret: "geheim"}})
    assert "geheim" not in repr(spec)
    assert "geheim" not in spec.model_dump_json()
