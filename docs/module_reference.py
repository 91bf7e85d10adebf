# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/reference/modules/: a page for each module and plugin, from its documentation.

Run it after a change of a module's documentation: .venv/bin/python docs/module_reference.py
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
FRAGMENTS = ROOT / "plugins" / "doc_fragments"
PAGES = ROOT / "docs" / "reference" / "modules"
KINDS = {"module": "modules", "inventory": "inventory", "lookup": "lookup"}
"""Ansible's name of a kind of plugin, and its folder below plugins/."""

Options = dict[str, dict[str, Any]]


def main() -> None:
    """Write all pages."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (PAGES / name).write_text(text)


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    found = {}
    for kind, folder in KINDS.items():
        for name, documented in ansible_doc(kind, _names(folder)).items():
            short, doc = name.rpartition(".")[2], documented["doc"]
            if kind != "module":
                doc = doc | _own(ROOT / "plugins" / folder / f"{short}.py")
            lines = _page(f"{name} ({kind})", doc, documented)
            found[f"{short}.md"] = "\n".join(lines) + "\n"
    return found


def options() -> dict[str, Options]:
    """Return the options of every module and plugin by its full name."""
    return {
        name: documented["doc"]["options"]
        for kind, folder in KINDS.items()
        for name, documented in ansible_doc(kind, _names(folder)).items()
    }


def _names(folder: str) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (ROOT / "plugins" / folder).glob("[!_]*.py")))


@cache
def ansible_doc(kind: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the documentation of plugins of one kind by their full names."""
    program = Path(sys.executable).with_name("ansible-doc")
    argv = [str(program), "--json", "--type", kind, *(f"hostler.fleet.{name}" for name in names)]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    done = subprocess.run(argv, cwd=ROOT, env=environment, check=True, capture_output=True)
    return dict(json.loads(done.stdout))


def _own(file: Path) -> dict[str, Any]:
    """Return what a plugin documents itself: the text of Ansible's own fragments is Ansible's."""
    own = _documentation(file)
    description = list(own["description"])
    options = dict(own["options"])
    theirs = []
    for name in own["extends_documentation_fragment"]:
        fragment = name.rpartition(".")[2]
        if name.startswith("hostler.fleet."):
            options |= _documentation(FRAGMENTS / f"{fragment}.py")["options"]
        else:
            theirs.append(fragment)
    if theirs:
        description.append(
            f"It also has the options of Ansible's fragments {' and '.join(theirs)}."
        )
    return {**own, "description": description, "options": options}


def _documentation(file: Path) -> dict[str, Any]:
    """Return a file's DOCUMENTATION; a fragment has it within a class."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DOCUMENTATION":
            return dict(yaml.safe_load(ast.literal_eval(node.value)))
    raise ValueError(f"{file} has no DOCUMENTATION")


def _page(title: str, doc: dict[str, Any], documented: dict[str, Any]) -> Iterator[str]:
    yield f"# {title}"
    yield ""
    yield f"{doc['short_description']}. New in {doc['version_added']}."
    yield ""
    yield "<!-- Written by docs/module_reference.py: change the module's documentation instead. -->"
    yield ""
    yield from (f"{_text(line)}\n" for line in _lines(doc["description"]))
    yield "## Options\n"
    yield from _tables("", doc["options"], doc["options"])
    yield "## Examples\n"
    yield f"```yaml\n{documented['examples'].strip()}\n```\n"
    if documented.get("return"):
        yield "## Results\n"
        yield from _results("", documented["return"])
    yield from _bullets("Notes", doc.get("notes"))
    yield from _bullets("Needs", doc.get("requirements"))
    attributes = {
        key: value for key, value in doc.get("attributes", {}).items() if "support" in value
    }
    rows = [f"{key}: {value['support']}" for key, value in attributes.items()]
    yield from _bullets("Abilities", rows)
    yield "[All modules](../../modules.md)"


def _tables(prefix: str, options: Options, top: Options) -> Iterator[str]:
    """One table for the options, then one for the inner options of each."""
    yield "| option | type | default | |\n| --- | --- | --- | --- |"
    for name, option in options.items():
        default = option.get("default")
        shown = "**required**" if option.get("required") else _code(default)
        yield f"| `{name}` | {_type(option)} | {shown} | {_about(option)} |"
    yield ""
    for name, option in options.items():
        inner = option.get("suboptions")
        if not inner:
            continue
        own = {key: value for key, value in inner.items() if not _same(value, top.get(key))}
        yield f"### {prefix}{name}\n"
        if len(own) < len(inner):
            yield "An item takes all options of the task's own too, and:\n"
        yield from _tables(f"{prefix}{name}.", own, top)


def _same(inner: dict[str, Any], outer: dict[str, Any] | None) -> bool:
    return outer is not None and inner["description"] == outer["description"]


def _results(prefix: str, values: Options) -> Iterator[str]:
    yield "| result | type | returned | |\n| --- | --- | --- | --- |"
    for name, value in values.items():
        yield f"| `{name}` | {_type(value)} | {value.get('returned', '')} | {_about(value)} |"
    yield ""
    for name, value in values.items():
        if value.get("contains"):
            yield f"### Result {prefix}{name}\n"
            yield from _results(f"{prefix}{name}.", value["contains"])


def _about(option: dict[str, Any]) -> str:
    words = " ".join(_text(line) for line in _lines(option["description"]))
    if option.get("choices"):
        words += " One of " + ", ".join(_code(choice) for choice in option["choices"]) + "."
    if option.get("env"):
        words += " Environment: " + ", ".join(_code(e["name"]) for e in option["env"]) + "."
    return words.replace("|", "\\|")


def _type(option: dict[str, Any]) -> str:
    kind = str(option.get("type", "str"))
    return f"{kind} of {option['elements']}" if option.get("elements") else kind


def _code(value: Any) -> str:
    if value is None:
        return ""
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _lines(text: Any) -> list[str]:
    return [text] if isinstance(text, str) else list(text or ())


def _text(line: str) -> str:
    """Turn Ansible's markup (https://docs.ansible.com, "Ansible markup") into Markdown."""
    line = re.sub(r"M\(hostler\.fleet\.(\w+)\)", r"[\1](\1.md)", line)
    line = re.sub(r"M\(([\w.]+)\)", r"`\1`", line)
    return re.sub(r"\b(?:[COVE]|RV)\(([^)]*)\)", r"`\1`", line)


def _bullets(title: str, lines: Any) -> Iterator[str]:
    if lines:
        yield f"## {title}\n"
        yield from (f"* {_text(line)}" for line in _lines(lines))
        yield ""


if __name__ == "__main__":
    main()
