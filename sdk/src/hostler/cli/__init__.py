# SPDX-License-Identifier: Apache-2.0
"""The ``hostler`` command. Its start loads neither libvirt nor a database: commands do."""

from __future__ import annotations


def main() -> None:
    """Run the command line.

    Exit codes: 0 done, 1 something failed, 2 the request makes no sense, 3 there are changes to
    make (``--check --detailed-exitcode``), 130 interrupted.
    """
    from hostler.cli.app import app

    app()
