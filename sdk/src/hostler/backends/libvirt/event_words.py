# SPDX-License-Identifier: Apache-2.0
"""libvirt's numbers in events and states, in its own words.

Source: https://libvirt.org/html/libvirt-libvirt-domain.html
"""

from __future__ import annotations

import libvirt

LIFECYCLE: dict[int, tuple[str | None, tuple[str, ...]]] = {
    libvirt.VIR_DOMAIN_EVENT_DEFINED: (None, ("added", "updated", "renamed", "from snapshot")),
    libvirt.VIR_DOMAIN_EVENT_UNDEFINED: (None, ("removed", "renamed")),
    libvirt.VIR_DOMAIN_EVENT_STARTED: (
        "running",
        ("booted", "migrated", "restored", "from snapshot", "wakeup"),
    ),
    libvirt.VIR_DOMAIN_EVENT_SUSPENDED: (
        "paused",
        (
            *("user", "migration", "I/O error", "watchdog", "restored", "from snapshot"),
            *("API error", "post-copy", "post-copy failed"),
        ),
    ),
    libvirt.VIR_DOMAIN_EVENT_RESUMED: (
        "running",
        ("unpaused", "migrated", "from snapshot", "post-copy", "post-copy failed"),
    ),
    libvirt.VIR_DOMAIN_EVENT_STOPPED: (
        "stopped",
        # a running QEMU that died is "failed" in the event, and "crashed" in the state
        ("shutdown", "destroyed", "crashed", "migrated", "saved", "crashed", "from snapshot"),
    ),
    libvirt.VIR_DOMAIN_EVENT_SHUTDOWN: ("stopping", ("finished", "guest", "host")),
    libvirt.VIR_DOMAIN_EVENT_PMSUSPENDED: ("suspended", ("memory", "disk")),
    libvirt.VIR_DOMAIN_EVENT_CRASHED: ("crashed", ("panicked", "crashloaded")),
}
"""Of each event: the status that a domain then has, and the reasons."""

STATE_REASONS: dict[int, tuple[str | None, ...]] = {
    libvirt.VIR_DOMAIN_RUNNING: (
        *(None, "booted", "migrated", "restored", "from snapshot", "unpaused"),
        *("migration canceled", "save canceled", "wakeup", "crashed", "post-copy"),
    ),
    libvirt.VIR_DOMAIN_PAUSED: (
        *(None, "user", "migration", "save", "dump", "I/O error", "watchdog", "from snapshot"),
        *("shutting down", "snapshot", "crashed", "starting up", "post-copy", "post-copy failed"),
        "API error",
    ),
    libvirt.VIR_DOMAIN_SHUTDOWN: (None, "user"),
    libvirt.VIR_DOMAIN_SHUTOFF: (
        *(None, "shutdown", "destroyed", "crashed", "migrated", "saved", "failed"),
        *("from snapshot", "daemon"),
    ),
    libvirt.VIR_DOMAIN_CRASHED: (None, "panicked"),
}
"""Why a domain is in a state."""

WATCHDOG = ("none", "pause", "reset", "poweroff", "shutdown", "debug", "inject NMI")
IO_ERROR = ("none", "pause", "report")
AGENT = (None, "connected", "disconnected")
AGENT_REASONS = (None, "VM started", "channel")
BLOCK_JOBS = ("unknown", "pull", "copy", "commit", "active commit", "backup")
BLOCK_STATUS = ("completed", "failed", "canceled", "ready")


def word(words: tuple[str | None, ...], number: int) -> str | None:
    """Return a number's word; None for one that is newer than this list."""
    return words[number] if 0 <= number < len(words) else None
