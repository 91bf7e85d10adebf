# SPDX-License-Identifier: Apache-2.0
"""Cloud-init seeds: the documents, their digest, the image."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import SecretStr

from hostler.models.cloud_init import CloudInit
from hostler.models.devices import Nic
from hostler.models.size import KIB, MIB
from hostler.models.vm import VmSpec

LABEL = "cidata"


@dataclass(frozen=True)
class Seed:
    """The documents of a NoCloud seed, and the digest that names its volume."""

    meta_data: str
    user_data: str
    network_config: str | None

    @property
    def digest(self) -> str:
        """Return the first 12 hex digits of the documents' SHA-256."""
        parts = json.dumps([self.meta_data, self.user_data, self.network_config])
        return hashlib.sha256(parts.encode()).hexdigest()[:12]

    @property
    def capacity(self) -> int:
        """Return room for the image in bytes: the documents and ISO 9660's own tables, in MiB."""
        texts = (self.meta_data, self.user_data, self.network_config or "")
        return -(-(sum(len(t.encode()) for t in texts) + 256 * KIB) // MIB) * MIB


def make_seed(spec: VmSpec, cloud_init: CloudInit, macs: list[str], instance: str) -> Seed:
    """Write the documents for a VM; static addresses of its cards become the network config.

    Args:
        spec: the VM.
        cloud_init: what its guest is told.
        macs: the MAC addresses of the spec's cards, in order.
        instance: what the instance is called; a guest with another one is set up anew.
    """
    hostname = cloud_init.hostname or spec.new_name or spec.name
    meta: dict[str, Any] = {"instance-id": f"hostler-{instance}", "local-hostname": hostname}
    if cloud_init.ssh_keys:
        meta["public-keys"] = list(cloud_init.ssh_keys)
    network = _text(cloud_init.network_config) or _network_config(spec.networks or (), macs)
    return Seed(
        meta_data=yaml.safe_dump(meta, sort_keys=True),
        user_data=_user_data(cloud_init, hostname),
        network_config=network,
    )


def _user_data(cloud_init: CloudInit, hostname: str) -> str:
    given = cloud_init.user_data
    if isinstance(given, SecretStr):
        return given.get_secret_value()
    document = dict(given or {})
    document.setdefault("hostname", hostname)
    if cloud_init.ssh_keys:
        document.setdefault("ssh_authorized_keys", list(cloud_init.ssh_keys))
    return "#cloud-config\n" + yaml.safe_dump(document, sort_keys=True)


def _text(value: SecretStr | dict[str, Any] | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return yaml.safe_dump(value, sort_keys=True)


def _network_config(nics: tuple[Nic, ...], macs: list[str]) -> str | None:
    """Write netplan version 2 for cards with a static address; the others ask by DHCP."""
    if not any(nic.address for nic in nics):
        return None
    cards: dict[str, Any] = {}
    for number, (nic, mac) in enumerate(zip(nics, macs, strict=True)):
        card: dict[str, Any] = {"match": {"macaddress": mac}, "set-name": f"eth{number}"}
        if nic.address:
            card["addresses"] = [nic.address]
            if nic.gateway:
                card["routes"] = [{"to": "default", "via": nic.gateway}]
            if nic.nameservers:
                card["nameservers"] = {"addresses": list(nic.nameservers)}
        else:
            card["dhcp4"] = True
        cards[f"eth{number}"] = card
    return yaml.safe_dump({"version": 2, "ethernets": cards}, sort_keys=True)


def seed_image(meta_data: str, user_data: str, network_config: str | None) -> bytes:
    """Return the ISO image of a seed (label ``cidata``, Joliet and Rock Ridge)."""
    import pycdlib

    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=LABEL)
    files = {"meta-data": meta_data, "user-data": user_data, "network-config": network_config}
    for number, (name, text) in enumerate(files.items()):
        if text is None:
            continue
        data = text.encode()
        iso.add_fp(
            io.BytesIO(data),
            len(data),
            f"/FILE{number}.;1",
            rr_name=name,
            joliet_path=f"/{name}",
        )
    output = io.BytesIO()
    iso.write_fp(output)
    iso.close()
    return output.getvalue()
