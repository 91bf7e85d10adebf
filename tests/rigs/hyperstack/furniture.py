# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every Hyperstack of the tests has: environments, a key, images, flavors, stock, prices."""

from __future__ import annotations

from hostler.testing.hyperstack import FakeHyperstack

ENV = "default-CANADA-1"


def furnish(fake: FakeHyperstack) -> None:
    """Give it an environment, and what VMs are made of."""
    fake.add_environment(ENV)
    fake.add_environment("default-NORWAY-1", "NORWAY-1")
    fake.add_keypair("ops", ENV)
    fake.add_image("Ubuntu 22.04")
    fake.add_image("Debian 12", type="Debian")
    fake.add_image("Ubuntu 22.04", "NORWAY-1")
    fake.add_flavor("n3-L40x1", gpu="L40", gpu_count=1)
    fake.add_flavor("n3-L40x8", gpu="L40", gpu_count=8)
    fake.add_flavor("n1-cpu-small", no_hibernation=True)
    fake.add_stock("CANADA-1", "L40", "12", **{"1x": 12, "8x": 1})
    fake.add_price("L40", 1.0)
