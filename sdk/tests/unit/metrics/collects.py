# SPDX-License-Identifier: Apache-2.0
"""A program for the tests to kill: writes rounds whose counters grow by 10 a second.

collects.py STORE
"""

from __future__ import annotations

import sys
import time

from hostler.metrics import rounds
from hostler.metrics.compact import compact
from hostler.metrics.raw import VM_COUNTERS, RawVm, Reading
from hostler.store import Store

VMS = 50


def main() -> None:
    store, began = Store(sys.argv[1]), float(sys.argv[2])
    while True:
        now = time.time()
        # An hour passes in a second, so that hours are packed too.
        at = began + (now - began) * 3600
        reads = int((at - began) * 10)
        counters = tuple(reads if "read_req" in name else 0 for name in VM_COUNTERS)
        vms = [RawVm(f"uuid-{n}", f"vm{n}", 1, 1, 1, counters) for n in range(VMS)]
        reading = Reading(at, at, "boot", vms=vms)
        rounds.write(store, {"kvm1": reading}, now=at, gap=10**6)
        compact(store, at)
        print(flush=True)


if __name__ == "__main__":
    main()
