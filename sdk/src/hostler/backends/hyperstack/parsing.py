# SPDX-License-Identifier: Apache-2.0
"""Makes models of answers."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from hostler.backends.hyperstack import faults
from hostler.models.hyperstack import Seen

Thing = TypeVar("Thing", bound=Seen)


def parsed(model: type[Thing], row: Any, on: str) -> Thing:
    """Make a model of a part of an answer.

    Raises:
        BackendError: it has not the shape that it should have.
    """
    try:
        return model.model_validate(row)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise faults.strange(f"{where}: {error.errors()[0]['msg']}", on) from None
