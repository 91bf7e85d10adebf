# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the rooms of the SDK and who imports whom, from the code, into the page architecture.md."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "sdk" / "src" / "hostler"
COLLECTION = "plugins/ of the collection"
DATA = {"config", "errors", "files", "models", "schema"}
"""What everybody imports: one box, as one layer."""

Rooms = dict[str, set[str]]


def draw(page: Path) -> None:
    """Put the drawing and the table of rooms where the page has its comments for them."""
    found = rooms()
    text = page.read_text()
    text = text.replace("<!-- drawing -->", "```{raw} html\n" + _svg(found) + "```")
    page.write_text(text.replace("<!-- rooms -->", "\n".join(_table(found))))


def rooms() -> Rooms:
    """Each room and the rooms that it imports; a backend is a room of its own."""
    graph = grimp.build_graph("hostler", exclude_type_checking_imports=True, cache_dir=None)
    names = graph.find_children("hostler") - {"hostler.backends", "hostler._version"}
    names |= graph.find_children("hostler.backends")
    for name in names:
        graph.squash_module(name)
    found = {}
    for name in names:
        imported = graph.find_modules_directly_imported_by(name) & names - {name}
        found[_short(name)] = {_short(other) for other in imported}
    return found | {COLLECTION: _collection(set(found))}


def _short(name: str) -> str:
    return name.removeprefix("hostler.").replace(".", "/")


def _collection(rooms: set[str]) -> set[str]:
    text = "\n".join(path.read_text() for path in (ROOT / "plugins").rglob("*.py"))
    return set(re.findall(r"^\s*from hostler\.(\w+)", text, re.MULTILINE)) & rooms


def _svg(rooms: Rooms) -> str:
    """The drawing. An import that is reached through others too is left out, for the eye."""
    names = {name: "models, errors, config" if name in DATA else name for name in rooms}
    merged: Rooms = {}
    for name, imports in rooms.items():
        merged.setdefault(names[name], set()).update({names[i] for i in imports})
    for name, imports in merged.items():
        imports.discard(name)
    lines = [f'"{a}" -> "{b}"' for a in merged for b in sorted(direct(a, merged))]
    backends = "; ".join(f'"{name}"' for name in merged if name.startswith("backends/"))
    dot = (
        "digraph rooms { bgcolor=transparent; ranksep=0.45; nodesep=0.25;"
        'node [shape=box, style=rounded, fontname="sans-serif", fontsize=13];'
        f"edge [arrowsize=0.6]; {{rank=same; {backends}}} {'; '.join(sorted(lines))} }}"
    )
    done = subprocess.run(
        ["dot", "-Tsvg"], input=dot, capture_output=True, text=True, check=True
    ).stdout
    return '<div class="drawing">' + done[done.index("<svg") :] + "</div>\n"


def direct(name: str, rooms: Mapping[str, set[str]]) -> set[str]:
    """The transitive reduction: what is imported, less what the imported ones lead to."""
    return rooms[name] - {far for near in rooms[name] for far in _reached(near, rooms)}


def _reached(name: str, rooms: Mapping[str, set[str]]) -> set[str]:
    return rooms[name].union(*(_reached(near, rooms) for near in rooms[name]))


def _table(rooms: Rooms) -> Iterator[str]:
    yield "| room | what it is | lines | imports |\n| --- | --- | --: | --- |"
    for name in sorted(rooms.keys() - {COLLECTION}):
        files = sorted((PACKAGE / name).rglob("*.py")) or [PACKAGE / f"{name}.py"]
        lines = sum(len(file.read_text().splitlines()) for file in files)
        imports = ", ".join(f"`{i}`" for i in sorted(rooms[name])) or "nothing"
        yield f"| `{name}` | {_about(files)} | {lines} | {imports} |"


def _about(files: list[Path]) -> str:
    """The first sentence of a room's docstring."""
    head = next((file for file in files if file.name == "__init__.py"), files[0])
    docstring = ast.get_docstring(ast.parse(head.read_text())) or ""
    return re.split(r"(?<=\.)\s", docstring)[0].replace("``", "`").replace("|", "\\|")
