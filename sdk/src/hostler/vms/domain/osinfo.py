# SPDX-License-Identifier: Apache-2.0
"""Names of operating systems to libosinfo ids (https://libosinfo.org)."""

from __future__ import annotations

import re

NAMESPACE = "http://libosinfo.org/xmlns/libvirt/domain/1.0"

_VENDORS = {
    "almalinux": "http://almalinux.org/almalinux/{}",
    "alpine": "http://alpinelinux.org/alpinelinux/{}",
    "arch": "http://archlinux.org/archlinux/rolling",
    "centos": "http://centos.org/centos/{}",
    "centos stream": "http://centos.org/centos-stream/{}",
    "debian": "http://debian.org/debian/{}",
    "fedora": "http://fedoraproject.org/fedora/{}",
    "freebsd": "http://freebsd.org/freebsd/{}",
    "opensuse leap": "http://opensuse.org/opensuse/{}",
    "oracle linux": "http://oracle.com/ol/{}",
    "red hat enterprise linux": "http://redhat.com/rhel/{}",
    "rhel": "http://redhat.com/rhel/{}",
    "rocky": "http://rockylinux.org/rocky/{}",
    "rocky linux": "http://rockylinux.org/rocky/{}",
    "sles": "http://suse.com/sles/{}",
    "ubuntu": "http://ubuntu.com/ubuntu/{}",
    "windows": "http://microsoft.com/win/{}",
    "windows server": "http://microsoft.com/win/2k{}",
}
_GENERIC = {
    "linux": "http://libosinfo.org/linux/2022",
    "windows": "http://microsoft.com/win/11",
}


def osinfo_id(os_type: str | None, os_version: str | None) -> str | None:
    """Return the libosinfo id of an OS; None where it is not known.

    Takes both forms of the specifications: type ``ubuntu`` with version ``22.04``, and type
    ``linux`` with version ``Ubuntu 22.04``.

    >>> osinfo_id("linux", "Ubuntu 22.04")
    'http://ubuntu.com/ubuntu/22.04'
    """
    for text in (os_version or "", f"{os_type or ''} {os_version or ''}"):
        words = re.match(r"^\s*(\D+?)\s+(\d[\w.]*)", text.lower())
        if words and words.group(1) in _VENDORS:
            version = words.group(2)
            if words.group(1) == "windows server":
                version = version.removeprefix("20")
            return _VENDORS[words.group(1)].format(version)
    return _GENERIC.get((os_type or "").lower()) if not os_version else None
