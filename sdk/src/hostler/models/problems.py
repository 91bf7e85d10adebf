# SPDX-License-Identifier: Apache-2.0
"""Turns pydantic's findings into one sentence that a user can act on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hostler.errors import InvalidInput

Model = TypeVar("Model", bound=BaseModel)


def checked(model: type[Model], data: Mapping[str, Any], *, on: str = "") -> Model:
    """Check a mapping against a model.

    Raises:
        InvalidInput: names the field and what is wrong with it.
    """
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        raise InvalidInput(sentence(error), on=on) from None


def path_of(location: tuple[int | str, ...]) -> str:
    """Write a location as a path: ``disks[0].size``.

    >>> path_of(("disks", 0, "size"))
    'disks[0].size'
    """
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def sentence(error: ValidationError) -> str:
    """Say what is wrong with which field; values are never repeated (they may be secret)."""
    return "; ".join(
        _one(dict(e)) for e in error.errors(include_url=False, include_context=False)[:5]
    )


def _one(problem: dict[str, object]) -> str:
    location = problem["loc"]
    where = path_of(location) if isinstance(location, tuple) else ""
    text = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        text = "there is no such option"
    elif problem["type"] == "missing":
        text = "is required"
    return f"{where}: {text}" if where else text
