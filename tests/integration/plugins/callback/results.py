# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the result of each task to a file, for tests to look at."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: results
type: notification
short_description: results as lines of JSON
description:
  - One line for each task, its name and its result, in the file HOSTLER_TEST_RESULTS.
  - One for each result of a module of the collection, in modules.jsonl beside it.
"""

COLLECTION = "hostler.fleet."


class CallbackModule(CallbackBase):  # type: ignore[misc]
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "results"

    def v2_runner_on_ok(self, result: Any) -> None:
        self._write(result, failed=False)

    def v2_runner_on_failed(self, result: Any, **_: Any) -> None:
        self._write(result, failed=True)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._write(result, failed=True)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._write_module(result, failed=False)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._write_module(result, failed=True)

    def _write(self, result: Any, *, failed: bool) -> None:
        line = json.dumps(
            [result.task.get_name(), {**result.result, "failed": failed}], default=str
        )
        with Path(os.environ["HOSTLER_TEST_RESULTS"]).open("a") as file:
            file.write(line + "\n")
        if not result.task.loop:  # of a loop, its items have been written
            self._write_module(result, failed=failed)

    def _write_module(self, result: Any, *, failed: bool) -> None:
        module = result.task.action.removeprefix(COLLECTION)
        loop = result.result.get("ansible_loop_var")
        told = {key: value for key, value in result.result.items() if key != loop}
        if module == result.task.action or "censored" in told or "ansible_job_id" in told:
            return
        line = json.dumps([module, {**told, "failed": failed}], default=str)
        with Path(os.environ["HOSTLER_TEST_RESULTS"]).with_name("modules.jsonl").open("a") as file:
            file.write(line + "\n")
