# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plugins of Event-Driven Ansible, as a rulebook calls them: a source and a filter."""

from __future__ import annotations

import asyncio
import inspect
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
import yaml

from hostler.errors import HostlerError
from hostler.events.service import Events

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = ROOT / "extensions" / "eda" / "plugins"
Queue = asyncio.Queue[dict[str, Any]]


def plugin(name: str) -> dict[str, Any]:
    """A plugin's names. Not by runpy: Ansible's own loader takes the file for a folder."""
    spec = spec_from_file_location(Path(name).name, PLUGINS / f"{name}.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return vars(module)


def options(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load(plugin(name)["DOCUMENTATION"])["options"])


# The source.


def first(args: dict[str, Any], name: str = "fleet_events") -> dict[str, Any]:
    async def run() -> dict[str, Any]:
        queue: Queue = asyncio.Queue()
        task = asyncio.create_task(plugin(f"event_source/{name}")["main"](queue, args))
        event = asyncio.create_task(queue.get())
        await asyncio.wait((task, event), timeout=30, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            event.cancel()
            task.result()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return event.result()

    return asyncio.run(run())


def test_source() -> None:
    event = first({"uri": "test:///default", "types": ["host.*"], "name": "events"})
    assert list(event)[:3] == ["type", "timestamp", "source"]
    assert (event["type"], event["uri"]) == ("host.status.changed", "test:///default")
    assert isinstance(event["timestamp"], str)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"uris": "test:///default"}, "there is no option 'uris'"),
        ({"uri": "test:///default", "hosts": ["nowhere"]}, "no such host"),
        ({"uri": "test:///default", "size": 0}, "more than 0"),
    ],
)
def test_source_refuses(args: dict[str, Any], error: str) -> None:
    with pytest.raises(HostlerError, match=error):
        first(args)


def test_source_is_documented() -> None:
    source = plugin("event_source/fleet_events")
    assert set(options("event_source/fleet_events")) == {*source["FLEET"], *source["STREAM"]}
    known = inspect.signature(Events.__call__).parameters
    assert set(source["STREAM"]) == set(known) - {"self", "sources"}
    documented = options("event_source/fleet_events")
    for name in ("openstack", "alerts", "poll", "size"):
        assert documented[name]["default"] == known[name].default


NOWHERE = "qemu+unix:///system?socket=/nowhere"


def test_alerts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTLER_STORE", f"sqlite:///{tmp_path}/store.db")
    config = tmp_path / "fleet.yml"
    config.write_text(yaml.safe_dump({"hosts": {"kvm1": {"uri": NOWHERE}}}))
    event = first({"config": str(config), "poll": 1}, "fleet_alerts")
    assert (event["type"], event["host"]) == ("resource.alert", "kvm1")
    data = event["data"]
    assert (data["rule"], data["state"]) == ("host_unreachable", "firing")
    assert {"severity", "resource", "value", "threshold", "since", "message"} <= set(data)


def test_alerts_are_documented() -> None:
    source = plugin("event_source/fleet_alerts")
    documented = options("event_source/fleet_alerts")
    assert set(documented) == {*source["FLEET"], *source["STREAM"]}
    known = inspect.signature(Events.__call__).parameters
    assert documented["poll"]["default"] == known["poll"].default
    with pytest.raises(HostlerError, match="there is no option 'rules'"):
        first({"rules": []}, "fleet_alerts")


# The filter.


def event(vm: str = "web", status: str = "stopped") -> dict[str, Any]:
    data = {"new_status": status}
    return {"type": "vm.status.changed", "host": "kvm1", "vm": vm, "data": data}


def test_once() -> None:
    once = plugin("event_filter/once")["main"]
    assert once(event()) == event()
    assert once(event()) == []
    assert once(event("db")) == event("db")
    assert once(event(status="running")) == event(status="running")
    assert once(event(), seconds=0) == event()


def test_once_by_other_fields() -> None:
    once = plugin("event_filter/once")["main"]
    assert once(event("a"), by=["host"]) == event("a")
    assert once(event("b"), by=["host"]) == []
    assert once({"x": 1}, by=["data.x.y"]) == {"x": 1}


def test_once_forgets_the_oldest() -> None:
    module = plugin("event_filter/once")
    once = module["main"]
    for number in range(module["MOST"] + 1):
        once(event(str(number)))
    assert len(once.__globals__["_passed"]) == module["MOST"]
    assert once(event("0")) == event("0")
    assert once(event("9999")) == []


def test_filter_is_documented() -> None:
    known = inspect.signature(plugin("event_filter/once")["main"]).parameters
    documented = options("event_filter/once")
    assert set(documented) == set(known) - {"event"}
    assert documented["seconds"]["default"] == known["seconds"].default
    assert documented["by"]["default"] == list(known["by"].default)
