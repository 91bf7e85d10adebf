# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of the control plane and of the computes: start them in order, wait, stop."""

from __future__ import annotations

import itertools
import shutil
import signal
import socket
import sys
from collections.abc import Iterable

from rigs.openstack import cloud as seeded
from rigs.openstack import database, keystone, processes
from rigs.openstack.api import Cloud, answers
from rigs.openstack.config import configure, configure_host
from rigs.openstack.install import RABBITMQ
from rigs.openstack.layout import (
    APIS,
    ETC,
    LIB,
    LOG,
    PORTS,
    PROXY_CONTROL_PORT,
    PYTHON,
    RABBIT,
    ROOT,
    RUN,
)
from rigs.openstack.processes import ready_file

CONTROL = ("nova-conductor", "nova-scheduler")
_LAST = ("mariadbd", "rabbitmq", "epmd")

# What is made lazily is made by these, one after the other, before there are concurrent requests.
_FIRST_REQUESTS = (
    ("keystone", "/v3/projects"),
    ("placement", "/resource_providers"),
    ("glance", "/v2/images"),
    ("neutron", "/v2.0/networks"),
    ("nova", "/v2.1/servers/detail?all_tenants=1"),
)


def compute(host: str) -> str:
    """The name of a host's nova-compute among the processes."""
    return f"nova-compute@{host}"


def expected(hosts: Iterable[str]) -> set[str]:
    """The processes that a whole rig has."""
    return {*APIS, *_LAST, *CONTROL, "proxy", *map(compute, hosts)}


def start(hosts: list[str]) -> None:
    """Start all that does not run, and wait until the cloud and these hosts are usable."""
    configure()
    database.ensure_data()
    ready_file("apis").unlink(missing_ok=True)
    _start_rabbitmq()
    database.start()
    _start_nova(hosts)  # it imports while the rest comes up
    keystone.serve("keystone", "keystone.wsgi.api", threads=8)
    keystone.serve("placement", "placement.wsgi.api", threads=8)
    keystone.serve("nova", "nova.wsgi.osapi_compute", threads=16)
    keystone.serve("neutron", "neutron.wsgi.api", threads=8)
    keystone.serve("glance", "glance.wsgi.api", threads=4)
    _start_proxy()
    cloud = Cloud()
    for api in APIS:
        processes.wait(api, lambda api=api: answers(api), 120, [api])  # type: ignore[misc]
    for api, path in _FIRST_REQUESTS:
        processes.wait(api, lambda a=api, p=path: bool(cloud.get(a, p)), 30)  # type: ignore[misc]
    _name_gpus(cloud)
    ready_file("apis").touch()
    _wait_for_nova(cloud, hosts)


def stop() -> None:
    """Stop everything: the services first, the database last and gently."""
    names = processes.running()
    processes.stop([name for name in names if name not in _LAST], patience=1.5)
    processes.stop([n for n in names if n in {"rabbitmq", "epmd"}], 1.0, signal.SIGKILL)
    processes.stop(["mariadbd"], patience=60)
    shutil.rmtree(RUN, ignore_errors=True)


def _start_rabbitmq() -> None:
    if processes.pid_of("rabbitmq"):
        return
    shutil.rmtree(RABBIT)  # no queue outlives its services
    RABBIT.mkdir()
    env = {
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(PORTS["epmd"]),
        "HOME": str(RABBIT),
        "RABBITMQ_NODENAME": "rig@localhost",
        "RABBITMQ_NODE_PORT": str(PORTS["rabbit"]),
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_DIST_PORT": str(PORTS["rabbit_dist"]),
        "RABBITMQ_CONFIG_FILE": str(ETC / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(RABBIT / "none"),
        "RABBITMQ_CONF_ENV_FILE": str(RABBIT / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(RABBIT / "none"),
        "RABBITMQ_MNESIA_BASE": str(RABBIT),
        "RABBITMQ_LOG_BASE": str(LOG),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_PID_FILE": str(RUN / "rabbitmq.self"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none "
        "-kernel inet_dist_use_interface {127,0,0,1}",
    }
    processes.start("epmd", "epmd", "-address", "127.0.0.1", "-port", str(PORTS["epmd"]), env=env)
    processes.start("rabbitmq", RABBITMQ, env=env, cwd=RABBIT)


def _start_proxy() -> None:
    env = {"PYTHONPATH": str(ROOT / "tests")}
    processes.start("proxy", sys.executable, "-m", "rigs.openstack.proxy", env=env)
    processes.wait("proxy", lambda: _listens(PROXY_CONTROL_PORT), 20, ["proxy"])


def _start_nova(hosts: list[str]) -> None:
    """Start conductor, scheduler and computes: one process that imports nova and forks."""
    for number, host in enumerate(hosts):
        configure_host(seeded.host(host), number)
    missing = [name for name in (*CONTROL, *map(compute, hosts)) if not processes.pid_of(name)]
    if not missing:
        return
    for name in missing:
        ready_file(name).unlink(missing_ok=True)
    launchers = _launchers()
    # one that still waits is left from a start that failed: it would start the same hosts again
    processes.stop(name for name in launchers if not ready_file(name).exists())
    number = next(n for n in itertools.count(1) if f"nova-launcher-{n}" not in launchers)
    launcher = f"nova-launcher-{number}"
    ready_file(launcher).unlink(missing_ok=True)
    script = LIB / "nova_services.py"
    env = {"OS_NOVA_DISABLE_EVENTLET_PATCHING": "false"}
    processes.start(launcher, PYTHON, script, launcher, RUN, ETC, LOG, *missing, env=env)


def _name_gpus(cloud: Cloud) -> None:
    """Register the GPUs' resource classes and traits, one after the other.

    When computes do so at the same time, placement says of one that it exists (204) though it does
    not, and that compute has no inventory until its next report, minutes later.
    """
    for host in seeded.HOSTS:
        cloud.put("placement", f"/resource_classes/{host.resource_class}")
        cloud.put("placement", f"/traits/{host.trait}")


def _wait_for_nova(cloud: Cloud, hosts: list[str]) -> None:
    names = [*CONTROL, *map(compute, hosts)]
    watched = [*names, *_launchers()]
    # the API alone may still tell of the run before
    processes.wait("nova", lambda: all(ready_file(n).exists() for n in names), 180, watched)

    def services() -> bool:
        found = cloud.get("nova", "/v2.1/os-services")["services"]
        up = [service for service in found if service["state"] == "up"]
        computes = {service["host"] for service in up if service["binary"] == "nova-compute"}
        return set(hosts) <= computes and set(CONTROL) <= {service["binary"] for service in up}

    def hypervisors() -> bool:
        found = cloud.get("nova", "/v2.1/os-hypervisors")["hypervisors"]
        return set(hosts) <= {hypervisor["hypervisor_hostname"] for hypervisor in found}

    processes.wait("nova-compute services", services, 120, watched)
    processes.wait("hypervisors", hypervisors, 90, watched)
    processes.wait("GPU inventories in placement", lambda: _inventories(cloud, hosts), 90, watched)


def _launchers() -> list[str]:
    return [name for name in processes.running() if name.startswith("nova-launcher")]


def _inventories(cloud: Cloud, hosts: list[str]) -> bool:
    providers = cloud.get("placement", "/resource_providers")["resource_providers"]
    ids = {provider["name"]: provider["uuid"] for provider in providers}
    for name in hosts:
        if name not in ids:
            return False
        found = cloud.get("placement", f"/resource_providers/{ids[name]}/inventories")
        if seeded.host(name).resource_class not in found["inventories"]:
            return False
    return True


def _listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
