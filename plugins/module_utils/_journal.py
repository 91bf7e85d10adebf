# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.command_log, command_log_info and plan_info: what the journal has."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    CONFIG,
    Module,
    Params,
    Result,
)
from ansible_collections.hostler.fleet.plugins.module_utils._results import diff

if TYPE_CHECKING:
    from hostler import Fleet
    from hostler.plan.journal import LogEntry, StoredPlan

NEEDS = ("hostler.plan.journal",)


def command_log(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read the command log."""
    entries = fleet.journal.log(
        limit=params["limit"],
        since=_time(params["since"]) if params["since"] else None,
        status=params["status"],
        target=params["target"],
        plan_id=params["plan_id"],
    )
    return {"changed": False, "commands": [_entry(entry) for entry in entries]}


def clear(fleet: Fleet, _params: Params, check: bool) -> Result:
    """Forget finished plans and their commands."""
    found = fleet.journal.finished()
    gone = found if check or not found else fleet.journal.clear()
    result: Result = {"changed": gone > 0, "cleared": gone}
    if gone:
        result["diff"] = diff("command log", {"finished_commands": gone}, {"finished_commands": 0})
    return result


def plans(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read plans."""
    if params["id"]:
        found = [fleet.journal.load(params["id"])]
    else:
        found = fleet.journal.list(limit=params["limit"], unfinished=params["unfinished"])
    return {"changed": False, "plans": [_plan(stored) for stored in found]}


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        from hostler.errors import InvalidInput

        hint = "Write it like 2026-01-31T12:00:00Z."
        raise InvalidInput(f"since: {text!r} is not a time in ISO 8601", hint=hint) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _entry(entry: LogEntry) -> Result:
    return {**asdict(entry), "timestamp": entry.timestamp.isoformat()}


def _plan(stored: StoredPlan) -> Result:
    plan = stored.plan.model_dump(mode="json", exclude={"steps", "facts"})
    steps = zip(stored.plan.steps, stored.statuses, stored.errors, strict=True)
    return {
        **plan,
        "status": stored.status,
        "created_at": stored.created_at.isoformat(),
        "user": stored.user,
        "host": stored.host,
        "pid": stored.pid,
        "running": stored.alive,
        "steps": [
            {"summary": step.summary, "command": step.command, "status": status, "error": error}
            for step, status, error in steps
        ],
    }


CLEAR = Module(
    arguments={
        "argument_spec": {
            **CONFIG,
            "state": {"type": "str", "required": True, "choices": ["cleared"]},
        }
    },
    run=clear,
    needs=NEEDS,
)
COMMAND_LOG = Module(
    arguments={
        "argument_spec": {
            **CONFIG,
            "limit": {"type": "int", "default": 100},
            "since": {"type": "str"},
            "status": {
                "type": "str",
                "choices": ["started", "done", "failed", "unsure", "undone"],
            },
            "target": {"type": "str"},
            "plan_id": {"type": "str"},
        }
    },
    run=command_log,
    needs=NEEDS,
)
PLANS = Module(
    arguments={
        "argument_spec": {
            **CONFIG,
            "id": {"type": "str"},
            "unfinished": {"type": "bool", "default": False},
            "limit": {"type": "int", "default": 50},
        }
    },
    run=plans,
    needs=NEEDS,
)
