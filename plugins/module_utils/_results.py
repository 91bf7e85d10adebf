# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of the SDK in Ansible's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ansible.module_utils.common.yaml import yaml_dump
from ansible_collections.hostler.fleet.plugins.module_utils._module import Result, failure

if TYPE_CHECKING:
    from hostler.models import result as sdk

REASONS = 3


def one(result: sdk.Result) -> Result:
    """Make the result of a task that is about one thing."""
    item: Result = {"changed": result.changed, "name": result.name}
    if result.plan:
        item["plan"] = result.plan.model_dump(mode="json", exclude={"warnings"})
        item["plan"]["warnings"] = list(result.plan.warnings)
        item["warnings"] = [f"{result.name}: {text}" for text in result.plan.warnings]
    if result.changed:
        item["diff"] = diff(result.name, result.before, result.after)
    if result.error is not None:
        item |= failure(result.error, result.error_code or "error")
    return item


def many(results: Sequence[sdk.Result], items: list[Result]) -> Result:
    """Make the result of a task that is about several things, of the results of each."""
    whole: Result = {
        "changed": any(item["changed"] for item in items),
        "results": items,
        "diff": [item["diff"] for item in items if "diff" in item],
        "warnings": [text for item in items for text in item.pop("warnings", [])],
    }
    errors = [f"{r.name}: {r.error}" for r in results if r.error is not None]
    if errors:
        reasons = " ".join(errors[:REASONS])
        more = f" And {len(errors) - REASONS} more." if len(errors) > REASONS else ""
        whole |= failure(f"{len(errors)} of {len(items)} failed. {reasons}{more}", "failed_items")
    return whole


def diff(name: str, before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    """Make the difference of two states, for diff mode."""
    return {
        "before_header": name,
        "after_header": name,
        "before": _text(before),
        "after": _text(after),
    }


def _text(state: dict[str, Any]) -> str:
    if not state:
        return ""
    return str(yaml_dump(state, default_flow_style=False, sort_keys=False, allow_unicode=True))
