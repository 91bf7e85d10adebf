# SPDX-License-Identifier: Apache-2.0
"""What to do when a connection can't be opened: libvirt passes on what ssh and TLS say."""

from __future__ import annotations

from hostler.errors import BackendError, Denied, Unreachable

NO_ANSWER = "Check the URI, and that libvirtd runs there: 'hostler doctor'."

_ADVICE: tuple[tuple[str, type[BackendError], str], ...] = (
    (
        "verify peer's certificate",
        Denied,
        (
            "The host's certificate must carry the name or address that the URI has,"
            " and be from the authority in cacert.pem."
        ),
    ),
    (
        "Cannot read C",
        Unreachable,
        (
            "Put cacert.pem, clientcert.pem and clientkey.pem there,"
            " or name their folder in the URI: ?pkipath=FOLDER"
        ),
    ),
    (
        "Permission denied (",
        Denied,
        (
            "ssh must get in without a password: use ssh-copy-id, or name a key in the URI:"
            " ?keyfile=PATH"
        ),
    ),
    (
        "Host key verification failed",
        Denied,
        "ssh does not know this host's key, or knows another: compare it, then mend known_hosts.",
    ),
    (
        "libvirt-sock': Permission denied",
        Denied,
        "This user may only read there: use another, or add it to the group libvirt.",
    ),
    (
        "Missing authentication credentials",
        Denied,
        "libvirt looks for them in auth.conf: https://libvirt.org/auth.html",
    ),
    (
        "libvirt was built without",
        Unreachable,
        "Install libvirt's driver for it, or connect from a machine that has it.",
    ),
    ("Could not resolve hostname", Unreachable, "Check the host's name in the URI."),
)


def advised(error: BackendError, on: str) -> BackendError:
    """Return an error of opening a connection as what it is, with what to do about it."""
    for words, kind, hint in _ADVICE:
        if words in error.what:
            return kind(error.what, on=on, hint=hint)
    if type(error) is BackendError:
        return Unreachable(error.what, on=on, hint=NO_ANSWER)
    return error
