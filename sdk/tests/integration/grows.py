# SPDX-License-Identifier: Apache-2.0
"""A program that fills a volume and reads it slowly; prints how many KiB it grew by meanwhile.

grows.py URI STORE ADDRESS
"""

from __future__ import annotations

import resource
import sys
import time

from hostler import Fleet
from hostler.config import FleetConfig


def peak() -> int:
    """Return the most KiB that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    uri, store, address = sys.argv[1:]
    with Fleet(FleetConfig(store=store), uri=uri) as fleet:
        volumes, place = fleet.storage.volumes, {"pool": "tank"}
        volumes.run([{**place, "name": "small", "size": "1MiB"}])
        before = peak()
        (filled,) = volumes.run([{**place, "name": "data", "image": address}])
        if filled.error:
            raise SystemExit(filled.error)
        for _ in fleet.hypervisor().volumes.content("tank", "data"):
            time.sleep(0.001)
        print(peak() - before)


if __name__ == "__main__":
    main()
