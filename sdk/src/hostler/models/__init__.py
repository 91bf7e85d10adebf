# SPDX-License-Identifier: Apache-2.0
"""What things are: pure data, checked by pydantic, no I/O."""

from __future__ import annotations


def build() -> None:
    """Build the checks of all models that are imported so far.

    Each is built when it is first used, some 30 ms in all: a process that forks for each piece of
    work builds them once, before.
    """
    from pydantic import BaseModel

    todo = BaseModel.__subclasses__()
    while todo:
        model = todo.pop()
        todo += model.__subclasses__()
        if model.__module__.startswith("hostler."):
            model.model_rebuild()
