# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages, in the order of their lanes."""

from __future__ import annotations

import sys
from typing import Any

from stages.stage import Kind, Lane, Stage, When

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LIBVIRT = ("virsh", "--quiet", "--connect", "qemu:///system", "uri")
BOX = ("tests/rigs/openstack/box", "status")

# Runs a command in a clean copy of the collection at ansible_collections/hostler/fleet.
IN_COLLECTION = ("python", "tests/stages/in_collection.py")
SANITY = (
    "ansible-test sanity --local --color no --requirements --exclude sdk/ --exclude tests/rigs/"
)
SHELL_SCRIPTS = (
    "git ls-files -co --exclude-standard '*.sh' .ci/run | xargs shellcheck --external-sources"
)


def collection(name: str, command: str) -> Stage:
    """A check of the collection, run in its copy."""
    return Stage(name, (*IN_COLLECTION, *command.split()), lane=Lane.COLLECTION, timeout=1800)


def unit(name: str, *argv: str, lane: Lane = Lane.UNIT, when: When = When.QUICK) -> Stage:
    """Tests that need nothing but Python."""
    return Stage(name, ("pytest", "-q", *argv), lane=lane, kind=Kind.PYTEST, when=when)


def smoke() -> Stage:
    """A few tests of the collection on real guests, for the matrix of tox.ini."""
    few = "test_life_of_a_vm or test_door or test_groups_and_constructed_options or test_bad_input"
    argv = ("pytest", "-v", "-k", few, "tests/integration")
    return Stage(
        "smoke", argv, lane=Lane.RIG, kind=Kind.PYTEST, when=When.ASKED, rig=LIBVIRT, timeout=900
    )


def openstack(name: str, folder: str) -> Stage:
    """Tests on a real OpenStack with fake computes."""
    return Stage(
        name,
        ("pytest", "-v", "--durations=15", folder),
        lane=Lane.OPENSTACK,
        kind=Kind.PYTEST,
        rig=BOX,
        setup="make rig-openstack",
        timeout=3600,
    )


def integration(name: str, folder: str) -> Stage:
    """Tests on real hypervisors and guests."""
    argv = ("pytest", "-v", "--durations=15", folder)
    return Stage(name, argv, lane=Lane.RIG, kind=Kind.PYTEST, rig=LIBVIRT, timeout=3600)


def targets(name: str, group: str, lane: Lane, **needs: Any) -> Stage:
    """ansible-test's integration targets of a group."""
    argv = ("python", "tests/stages/targets.py", group)
    return Stage(name, argv, lane=lane, timeout=1800, **needs)


STAGES = (
    collection("sanity", f"{SANITY} --python {PYTHON}"),
    collection("ansible-units", f"ansible-test units --local --color no --python {PYTHON}"),
    collection("ansible-lint", "ansible-lint"),
    collection("collection-docs", "antsibull-docs lint-collection-docs --plugin-docs ."),
    collection("changelog", "antsibull-changelog lint"),
    Stage("mypy", ("mypy",), when=When.QUICK),
    Stage("format", ("ruff", "format", "--check", "."), when=When.QUICK),
    Stage("ruff", ("ruff", "check", "."), when=When.QUICK),
    Stage(
        "imports",
        ("lint-imports", "--no-logo", "--cache-dir", ".cache/import-linter"),
        when=When.QUICK,
    ),
    Stage("reuse", ("reuse", "lint")),
    Stage("yaml", ("yamllint", "--strict", ".")),
    Stage("shell", ("bash", "-o", "pipefail", "-c", SHELL_SCRIPTS)),
    Stage("docs", ("python", "tests/stages/links.py")),
    Stage("website", ("python", "docs/website.py"), rig=("dot", "-V")),
    unit("sdk-unit", "-m", "not slow", "sdk/tests/unit"),
    unit("sdk-slow", "-m", "slow", "sdk/tests/unit", when=When.FULL),
    unit("collection-unit", "tests/unit", "tests/project", lane=Lane.STATIC),
    unit("collection-hyperstack", "tests/hyperstack", when=When.FULL),
    integration("sdk-integration", "sdk/tests/integration"),
    integration("collection-integration", "tests/integration"),
    targets("ansible-integration", "libvirt", Lane.RIG, rig=LIBVIRT),
    targets("ansible-integration-hyperstack", "hyperstack", Lane.RIG),
    integration("packages", "tests/packages"),
    smoke(),
    openstack("openstack-rig", "tests/rigs/openstack"),
    openstack("sdk-openstack", "sdk/tests/openstack"),
    openstack("collection-openstack", "tests/openstack"),
    targets(
        "ansible-integration-openstack",
        "openstack",
        Lane.OPENSTACK,
        rig=BOX,
        setup="make rig-openstack",
    ),
    Stage(
        "bench",
        ("python", "-u", "-m", "benchmarks"),
        cwd="tests",
        lane=Lane.RIG,
        when=When.ASKED,
        rig=LIBVIRT,
        timeout=3600,
    ),
)
