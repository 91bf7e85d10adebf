# SPDX-License-Identifier: Apache-2.0
"""Which request goes where, and what they have in common: bodies, pages, things by id."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hostler.testing.hyperstack.faults import Refused
from hostler.testing.hyperstack.store import Row, Store, shown

Answer = tuple[int, Any]
Handler = Callable[..., Answer]
Model = TypeVar("Model", bound=BaseModel)

_PAGE_SIZE = 10


@dataclass(frozen=True)
class Request:
    """A request that was let in."""

    query: dict[str, str]
    body: Any

    def parsed(self, model: type[Model]) -> Model:
        """Return the body.

        Raises:
            Refused: it is not as it should be.
        """
        try:
            return model.model_validate(self.body)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, problem["loc"])) or "body"
            raise Refused(400, f"{where}: {problem['msg']}") from None

    def number(self, name: str, default: int, *, most: int = 10**6) -> int:
        """Return a number of the query, from 1."""
        text = self.query.get(name, str(default))
        if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
            raise Refused(400, f"{name} must be a number from 1 to {most}")
        return int(text)

    def flag(self, name: str) -> bool:
        """Return whether something is asked for in the query."""
        word = self.query.get(name, "false")
        if word not in ("true", "false"):
            raise Refused(400, f"{name} must be true or false")
        return word == "true"


_table: list[tuple[str, re.Pattern[str], Handler]] = []


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Have a method answer requests; ``{id}`` in the path is a number, ``{name}`` a word."""
    pattern = re.sub(r"\{name\}", r"(?P<name>[^/]+)", path)
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>\\d{1,18})", pattern)

    def register(handler: Handler) -> Handler:
        _table.append((method, re.compile(pattern), handler))
        return handler

    return register


def answer(store: Store, method: str, path: str, request: Request) -> Answer:
    """Answer a request.

    Raises:
        Refused: it is refused.
    """
    known = False
    for verb, pattern, handler in _table:
        match = pattern.fullmatch(path)
        if not match:
            continue
        known = True
        if verb == method:
            words = {k: v if k == "name" else int(v) for k, v in match.groupdict().items()}
            return handler(store, request, **words)
    if known:
        raise Refused(405, "The method is not allowed for the requested URL.")
    raise Refused(404, "The requested URL was not found on the server.")


def ok(message: str, **fields: Any) -> Answer:
    """Return a good answer."""
    return 200, {"status": True, "message": message, **{k: shown(v) for k, v in fields.items()}}


def page(request: Request, key: str, rows: Iterable[Row], size: str = "pageSize") -> Answer:
    """Return one page of a list; ``count`` is that of all."""
    found = list(rows)
    number, length = request.number("page", 1), request.number(size, _PAGE_SIZE, most=100)
    part = found[(number - 1) * length : number * length]
    told = "page" in request.query or size in request.query
    where = {"page": number if told else None, "page_size": length if told else None}
    return ok("List", **{key: part}, count=len(found), **where)


def by_id(table: Iterable[Row], number: int, kind: str) -> Row:
    """Return a row.

    Raises:
        Refused: there is none.
    """
    for row in table:
        if row["id"] == number:
            return row
    raise Refused(404, f"{kind} does not exist")


def by_name(table: Iterable[Row], name: str, kind: str) -> Row:
    """Return a row by name.

    Raises:
        Refused: there is none.
    """
    for row in table:
        if row["name"] == name:
            return row
    raise Refused(404, f"{kind} {name} does not exist")
