# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve one OpenStack API with waitress: one process, some threads.

usage: serve_api.py SERVICE WSGI_MODULE PORT THREADS

The service finds its configuration by OS_<SERVICE>_CONFIG_DIR.
"""

from __future__ import annotations

import importlib
import sys


def main() -> None:
    """Load the application and serve it for ever."""
    service, module, port, threads = sys.argv[1:5]
    sys.argv = [service]  # nova and neutron read it as their own command line
    application = importlib.import_module(module).application
    if service == "keystone":
        _load_policy()
    if service in {"nova", "neutron"}:
        import quick_replies

        quick_replies.install()
    import waitress  # not before nova, which wants to be imported first

    waitress.serve(
        application,
        host="127.0.0.1",
        port=int(port),
        threads=int(threads),
        ident=service,
        channel_timeout=300,
        connection_limit=400,
        clear_untrusted_proxy_headers=False,
    )


def _load_policy() -> None:
    """Make Keystone's policy enforcer before there are threads.

    It is published before its rules are registered, so that of the first concurrent requests some
    are refused, and the service that asked answers 503.
    """
    from keystone.common.rbac_enforcer import enforcer

    enforcer.RBACEnforcer.suppress_deprecation_warnings = True
    enforcer.RBACEnforcer()._enforcer.load_rules()


if __name__ == "__main__":
    main()
