# SPDX-License-Identifier: Apache-2.0
"""Reads fleet.yml and VM documents. What is wrong is named with file, line and place, all at once.

YAML as editors understand it (1.2, core schema): only ``true`` and ``false`` are booleans, and
``52:54:00:12:34:56`` or ``0000:03:00.0`` are text, not numbers to the base of 60.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from hostler.config import FleetConfig
from hostler.errors import ConfigError, InvalidInput
from hostler.models.problems import path_of, sentence
from hostler.models.vm_task import VmTask
from hostler.schema import Schema, fleet_schema, problems, vm_schema

MAX_BYTES = 4 * 1024 * 1024
MAX_NODES = 200_000
SHOWN = 50
"""How many problems an error names."""

T = TypeVar("T")
Place = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """Safe YAML with the scalars of YAML 1.2's core schema (chapter 10.3)."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


_SCALARS = (
    ("null", r"^(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^([-+]?(0|[1-9][0-9]*)|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    ("float", r"^[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?$", list("-+.0123456789")),
    ("merge", r"^<<$", ["<"]),
)
for _name, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(_pattern), _first)


@dataclass
class _Document:
    """One YAML document: its data, and the line of each place."""

    data: Any
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int | None:
        """Return the line of a place, or of what it is in."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place)


@dataclass(frozen=True)
class _Problem:
    what: str
    place: Place
    line: int | None


def load_config(path: str | Path) -> FleetConfig:
    """Read a fleet.yml; an empty file is one with every default.

    Raises:
        ConfigError: it can't be read, or does not hold what it should.
    """
    documents = _read(path)
    if len(documents) > 1:
        raise ConfigError("a fleet.yml is one document", file=str(path), line=documents[1].line(()))
    document = documents[0] if documents else _Document({})
    document.data = {} if document.data is None else document.data
    _check(path, document, fleet_schema())
    found: list[_Problem] = []
    config = _build(document, (), lambda: FleetConfig.model_validate(document.data), found)
    _raise(path, found)
    return config or FleetConfig()


def load_vms(path: str | Path) -> list[VmTask]:
    """Read a VM document: one VM, or ``vms`` with ``defaults``; several documents too.

    Raises:
        ConfigError: it can't be read, or does not hold what it should.
    """
    documents = [document for document in _read(path) if document.data is not None]
    if not documents:
        raise ConfigError("the file is empty", file=str(path), hint="Write 'name: web' in it.")
    schema = vm_schema()
    tasks: dict[str, VmTask] = {}
    for document in documents:
        _check(path, document, schema)
    found: list[_Problem] = []
    for document in documents:
        for place, task in _tasks(document, found):
            if task.spec.name in tasks:
                where = (*place, "name")
                what = f"VM '{task.spec.name}' is in it twice"
                found.append(_Problem(what, where, document.line(where)))
            tasks[task.spec.name] = task
    _raise(path, found)
    return list(tasks.values())


def _tasks(document: _Document, found: list[_Problem]) -> Iterator[tuple[Place, VmTask]]:
    data = document.data
    places: list[Place] = [("vms", n) for n in range(len(data["vms"]))] if "vms" in data else [()]
    for place in places:
        vm = data["vms"][place[1]] if place else data
        task = _build(document, place, partial(VmTask.parse, vm, data.get("defaults")), found)
        if task is not None:
            yield place, task


def _build(
    document: _Document, place: Place, make: Callable[[], T], found: list[_Problem]
) -> T | None:
    """Build a model; what the schema can't know (two fields that contradict) is found here."""
    try:
        return make()
    except ValidationError as error:
        what, location = sentence(error), error.errors()[0]["loc"]
    except InvalidInput as error:
        cause = error.__context__  # pydantic's error knows the field, and by it the line
        what = error.what
        location = cause.errors()[0]["loc"] if isinstance(cause, ValidationError) else ()
    found.append(_Problem(what, place, document.line((*place, *location))))
    return None


def _check(path: str | Path, document: _Document, schema: Schema) -> None:
    found = dict.fromkeys(problems(document.data, schema))
    _raise(path, [_Problem(what, place, document.line(place)) for place, what in found])


def _raise(path: str | Path, found: list[_Problem]) -> None:
    """Raise one error that names all problems, in the order of their lines."""
    if not found:
        return
    found.sort(key=lambda problem: problem.line or 0)
    first, *rest = found
    if not rest:
        place = path_of(first.place)
        raise ConfigError(first.what, file=str(path), path=place, line=first.line)
    lines = [f"{len(found)} problems"]
    for problem in found[:SHOWN]:
        where = f"line {problem.line}, " if problem.line else ""
        lines.append(f"  {where}at {path_of(problem.place) or 'the top'}: {problem.what}")
    if len(found) > SHOWN:
        lines.append(f"  and {len(found) - SHOWN} more")
    raise ConfigError("\n".join(lines), file=str(path))


def _read(path: str | Path) -> list[_Document]:
    text = _text(path)
    try:
        return list(_documents(path, text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        what = (error.problem or error.context or "bad YAML").replace("could not determine a", "no")
        raise ConfigError(what, file=str(path), line=mark.line + 1 if mark else None) from None
    except (yaml.YAMLError, ValueError) as error:
        what = str(error).partition("\n")[0]
        raise ConfigError(f"it is not YAML: {what}", file=str(path)) from None
    except RecursionError:
        raise ConfigError("it is nested too deeply", file=str(path)) from None


def _text(path: str | Path) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"it can't be read: {error.strerror}", file=str(path)) from None
    except ValueError:
        raise ConfigError("its name is no file name", file=str(path)) from None
    if len(content) > MAX_BYTES:
        raise ConfigError(f"it has more than {MAX_BYTES // 1024**2} MiB", file=str(path))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError("it is not UTF-8 text", file=str(path), line=line) from None


def _documents(path: str | Path, text: str) -> Iterator[_Document]:
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            assert node is not None  # noqa: S101  # check_node said so
            _refuse_bomb(path, node, {}, set())
            document = _Document(None)
            twice = list(_walk(node, (), document.lines))
            _raise(path, twice)
            document.data = loader.construct_document(node)
            yield document
    finally:
        loader.dispose()


def _refuse_bomb(
    path: str | Path, node: yaml.Node, sizes: dict[int, int], parents: set[int]
) -> int:
    """Count what a document becomes once its aliases are followed; a few lines can be billions."""
    if id(node) in sizes:
        return sizes[id(node)]
    line = node.start_mark.line + 1
    if id(node) in parents:
        raise ConfigError("an alias holds itself", file=str(path), line=line)
    inside = parents | {id(node)} if _children(node) else parents
    size = 1 + sum(_refuse_bomb(path, child, sizes, inside) for child in _children(node))
    if size > MAX_NODES:
        raise ConfigError(f"it has more than {MAX_NODES} values", file=str(path), line=line)
    sizes[id(node)] = size
    return size


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _walk(node: yaml.Node, place: Place, lines: dict[Place, int]) -> Iterator[_Problem]:
    """Note the line of each place; give the keys that are there twice."""
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for number, child in enumerate(node.value):
            yield from _walk(child, (*place, number), lines)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, child in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                yield _Problem("a key must be text", place, line)
                continue
            inner = (*place, key.value)
            if key.value in seen:
                yield _Problem("this key is there twice", inner, line)
            seen.add(key.value)
            lines[inner] = line
            yield from _walk(child, inner, lines)
