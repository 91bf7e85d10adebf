# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the samples in the modules' RETURN: values that the modules have returned in tests.

    mkdir results
    HOSTLER_TEST_RECORD=$PWD/results .venv/bin/pytest tests/hyperstack tests/integration
    .venv/bin/python docs/samples.py results

Values are shortened, and say nothing of the machine. A sample of what no test has returned stays.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

MODULES = Path(__file__).resolve().parents[1] / "plugins" / "modules"
RETURN = re.compile(r'(?<=RETURN = r""")\n.*?(?=""")', re.DOTALL)
WIDTH = 98
OWN = ("password", "xml")
"""What is written by hand."""
ITEMS, KEYS, DEPTH, WORDS = 2, 8, 3, 16
"""What a sample has at most: items of a list (one dictionary), keys, levels, words of a text."""
OURS = (
    (r"test://\S*?([\w.-]+)\.xml", r"qemu+ssh://root@\1.example.com/system"),
    (r"(?:/[\w.@+-]+)*/pytest-\d+/[\w.\[\]-]+", "/srv/fleet"),
    (re.escape(str(MODULES.parents[1])), "/srv/hostler"),
    (rf"^{re.escape(socket.gethostname())}$", "kvm1"),
    (r"http://127\.0\.0\.1:\d+", "https://infrahub-api.nexgencloud.com"),
    (r"http://(\S+@)127\.0\.0\.1:\d+", r"https://\1files.example.com"),
    (r"\b10\.95\.\d+\.(\d+)\b", r"192.0.2.\1"),
    (r"\bhostler-(?:it|ex)-", ""),
    (r"\b20\d\d-\d\d-\d\d([T ])\d\d:\d\d:\d\d(?:\.\d+)?", r"2026-01-31\g<1>12:00:00"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{8}\b", "6a0f1c2b-5d1e9c0a"),
    (r"\b[0-9a-f]{32}\b", "8a8bbda92ede4e1ab43ddad0e0e7c4bd"),
    (r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80"),
)
"""What is of the machine or the moment, and what is written instead."""

Path_ = tuple[str, ...]


class Dumper(yaml.SafeDumper):
    """Lists are indented; text of several lines stays that."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists too."""
        del indentless
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else ">" if len(text) > WIDTH - 30 and " " in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Dumper.add_representer(str, _text)


def main(folder: Path) -> None:
    """Write the samples of each module that has results in the folder."""
    for record in sorted(folder.glob("*.jsonl")):
        file = MODULES / f"{record.stem}.py"
        results = [json.loads(line) for line in record.read_text().splitlines()]
        text = file.read_text()
        old = RETURN.search(text)
        if old is None:
            raise ValueError(f"{file} has no RETURN")
        file.write_text(text.replace(old[0], filled(old[0], samples(results))))


def samples(results: list[dict[str, Any]]) -> dict[Path_, Any]:
    """Return a value for each path; as many as possible of one result, a late one."""
    order = sorted(
        range(len(results)),
        key=lambda n: (results[n]["failed"], -len(dict(values(results[n]))), -n),
    )
    found: dict[Path_, Any] = {}
    empty: dict[Path_, Any] = {}
    for number in order:
        for path, value in values(results[number]):
            (found if value not in ("", [], {}) else empty).setdefault(path, value)
    return empty | found


def values(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Give all that is in a result, by its path; lists have none of their own."""
    if value is None:
        return
    if path:
        yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from values(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict | list):
                yield from values(inner, path) if isinstance(inner, list) else _fields(inner, path)


def _fields(item: dict[str, Any], path: Path_) -> Iterator[tuple[Path_, Any]]:
    for key, inner in item.items():
        yield from values(inner, (*path, key))


def filled(text: str, found: dict[Path_, Any]) -> str:
    """Return a RETURN with the samples that were found."""
    lines = text.split("\n")
    node: Any = yaml.compose(text, yaml.SafeLoader)
    for path, field in reversed(list(leaves(node, ()))):
        value = short(found.get(path))
        if value is None or path[-1] in OWN:
            continue
        for key in [pair[0] for pair in field.value if pair[0].value == "sample"]:
            del lines[key.start_mark.line : _end(lines, key)]
        at = max(_end(lines, pair[0]) for pair in field.value if pair[0].value != "sample")
        indent = field.start_mark.column
        lines[at:at] = _dump(value, indent)
    return "\n".join(lines)


def leaves(node: yaml.MappingNode, path: Path_) -> Iterator[tuple[Path_, yaml.MappingNode]]:
    """Give the fields that are not described further, in the order of the text."""
    for key, field in node.value:
        inner = {name.value: value for name, value in field.value}
        if "contains" in inner:
            yield from leaves(inner["contains"], (*path, key.value))
        else:
            yield (*path, key.value), field


def short(value: Any, depth: int = 0) -> Any:
    """Return a value fit for a page."""
    if isinstance(value, str):
        for pattern, ours in OURS:
            value = re.sub(pattern, ours, value)
        cut = re.match(rf"(?:\s*\S+){{{WORDS}}}", value)
        return value if cut is None or cut[0] == value.rstrip() else f"{cut[0]} ..."
    if isinstance(value, dict):
        deep = (dict, list) if depth == DEPTH else ()
        some = {key: item for key, item in value.items() if item not in (None, [], {})}
        known = {key: item for key, item in some.items() if not isinstance(item, deep)}
        return {key: short(known[key], depth + 1) for key in list(known)[:KEYS]}
    if isinstance(value, list):
        many = 1 if value and isinstance(value[0], dict) else ITEMS
        return [short(item, depth + 1) for item in value[:many]]
    return round(value, 3) if isinstance(value, float) else value


def _end(lines: list[str], key: yaml.Node) -> int:
    """Return the number of the line after a key's value."""
    indent = " " * (key.start_mark.column + 1)
    end = start = int(key.start_mark.line) + 1
    for number, line in enumerate(lines[start:], start + 1):
        if line.startswith(indent):
            end = number
        elif line.strip():
            break
    return end


def _dump(value: Any, indent: int) -> Iterator[str]:
    """Give the lines of a sample; long ones go on in the next line."""
    text = yaml.dump(
        {"sample": value},
        Dumper=Dumper,
        default_flow_style=None if isinstance(value, dict) else False,
        sort_keys=False,
        allow_unicode=True,
        width=10_000,
    )
    for line in text.splitlines():
        deeper = " " * (indent + len(line) - len(line.lstrip()))
        if re.match(r"\s*(- |[\w. -]+: [{\['\"])", line):
            deeper += "  "
        yield from textwrap.wrap(
            " " * indent + line,
            WIDTH,
            subsequent_indent=deeper,
            break_long_words=False,
            break_on_hyphens=False,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
