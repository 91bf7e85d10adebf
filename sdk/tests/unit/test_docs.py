# SPDX-License-Identifier: Apache-2.0
"""The documentation is true: its code runs, its YAML is accepted, its commands exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import typer
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from hostler.cli.app import app
from hostler.config import FleetConfig
from hostler.files import load_config, load_vms
from hostler.models.vm_task import VmTask

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        ROOT / "sdk/README.md",
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("roles/*/README.md"),
    ],
    key=str,
)
RUN = ("README.md", "sdk/README.md", "docs/sdk.md")
"""Pages whose Python is run, from top to bottom."""

SHELL = ("sh", "console")
MODULE = "hostler.fleet."


class Block(NamedTuple):
    """A piece of code: where it is, its language, its text."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text())


def fences() -> Iterator[Block]:
    for page in PAGES:
        for token in tokens(page):
            if token.type == "fence" and token.map:
                name = str(page.relative_to(ROOT))
                yield Block(name, token.map[0] + 1, token.info.strip(), token.content)


def spans() -> Iterator[Block]:
    """Code within sentences and tables."""
    for page in PAGES:
        for token in tokens(page):
            for child in token.children or ():
                if child.type == "code_inline":
                    line = token.map[0] + 1 if token.map else 0
                    yield Block(str(page.relative_to(ROOT)), line, "", child.content)


def of(*languages: str) -> list[Any]:
    return [pytest.param(b, id=str(b)) for b in fences() if b.language in languages]


@cache
def script(name: str) -> ModuleType:
    """Load a program of docs/."""
    spec = spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def documented() -> dict[str, dict[str, Any]]:
    """Options of every module and plugin, as ansible-doc tells them."""
    return dict(script("module_reference").options())


# Python


@pytest.mark.parametrize("block", of("python"))
def test_python_compiles(block: Block) -> None:
    compile(block.text, str(block), "exec")


@pytest.mark.parametrize("page", RUN)
def test_python_runs(page: str, tmp_path: Path) -> None:
    lines: list[str] = []
    for block in fences():
        if block.page == page and block.language == "python":
            lines += [""] * (block.line - len(lines))  # a traceback names the page's own lines
            lines += block.text.splitlines()
    assert lines
    program = tmp_path / Path(page).with_suffix(".py").name
    program.write_text("\n".join(lines))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HOSTLER_")} | {
        "LIBVIRT_DEFAULT_URI": "test:///default",
        "HOSTLER_STORE": f"sqlite:///{tmp_path}/hostler.db",
    }
    argv = [sys.executable, "-W", "error", str(program)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# YAML


@pytest.mark.parametrize("block", of("yaml"))
def test_yaml_is_accepted(
    block: Block, documented: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    documents = [d for d in yaml.safe_load_all(block.text) if d is not None]
    assert documents, "an empty block"
    for document in documents:
        if isinstance(document, list):
            check_tasks(document, documented)
        elif str(document.get("plugin", "")).startswith(MODULE):
            check_options(document, documented[document["plugin"]])
        elif not block.text.startswith("# molecule/"):  # those are run, by test_molecule.py
            check_file(document, block.text, tmp_path)


def check_file(document: dict[str, Any], text: str, folder: Path) -> None:
    """A fleet.yml or a VM document."""
    file = folder / "example.yml"
    file.write_text(text)
    if set(document) <= set(FleetConfig.model_fields):
        load_config(file)
    else:
        load_vms(file)


def check_tasks(tasks: Any, documented: dict[str, dict[str, Any]]) -> None:
    """Every task of ours, however deep in plays and blocks: its module and options exist."""
    if isinstance(tasks, list):
        for task in tasks:
            check_tasks(task, documented)
    elif isinstance(tasks, dict):
        for key, value in tasks.items():
            if str(key).startswith(MODULE):
                check_options(value or {}, documented[key])
                if key == "hostler.fleet.vm" and "{{" not in str(value):
                    check_vm(value)
            else:
                check_tasks(value, documented)


def check_options(given: Mapping[str, Any], options: dict[str, Any]) -> None:
    names = dict(options)
    for option in options.values():
        names |= dict.fromkeys(option.get("aliases", ()), option)
    for key, value in given.items():
        assert key in names, f"there is no option {key!r}"
        inner = names[key].get("suboptions")
        for item in value if isinstance(value, list) else [value]:
            if inner and isinstance(item, dict):
                check_options(item, inner)


def check_vm(arguments: dict[str, Any]) -> None:
    beside = {"vms", "uri", "config", "parallel"}
    shared = {key: value for key, value in arguments.items() if key not in beside}
    for vm in arguments.get("vms", [{}]):
        VmTask.parse(vm, shared)


# Names


def test_tables_name_every_module() -> None:
    folders = [ROOT / "plugins" / kind for kind in ("modules", "inventory", "lookup")]
    names = {MODULE + path.stem for folder in folders for path in folder.glob("[!_]*.py")}
    for page in ("README.md", "docs/modules.md"):
        text = (ROOT / page).read_text()
        told = set(re.findall(r"^\| \[`(hostler\.fleet\.\w+)`\]", text, flags=re.MULTILINE))
        assert told == names, page


def test_modules_in_sentences_exist(documented: dict[str, dict[str, Any]]) -> None:
    """Playbooks and what is for Event-Driven Ansible are files: ansible-doc does not know them."""
    files = [*(ROOT / "extensions/eda").rglob("*.[py]*"), *(ROOT / "playbooks").glob("*.yml")]
    known = {MODULE + "fleet", *documented, *(MODULE + path.stem for path in files)}
    for block in spans():
        if re.fullmatch(r"hostler\.fleet\.\w+", block.text):
            assert block.text in known, str(block)


# Commands


def commands() -> list[Any]:
    found = {}
    for block in fences():
        if block.language not in SHELL:
            continue
        for number, line in enumerate(block.text.splitlines(), block.line + 1):
            command = line.removeprefix("$ ")
            if command.startswith("hostler "):
                found[f"{block.page}:{number}"] = command
    for block in spans():
        if block.text.startswith("hostler "):
            found[f"{block.page}:{block.line} {block.text}"] = block.text
    return [pytest.param(command, id=place) for place, command in found.items()]


@pytest.mark.parametrize("command", commands())
def test_command_exists(command: str) -> None:
    here: Any = typer.main.get_command(app)
    options = {name for parameter in here.params for name in parameter.opts} | {"--help"}
    words = shlex.split(command.replace("'", '"'), comments=True)[1:]
    depth = 0
    for word in words:
        if word in (">", "|"):
            break
        if hasattr(here, "commands") and not word.startswith("-"):
            assert word in here.commands, f"there is no command {word!r}"
            here, depth = here.commands[word], depth + 1
            options |= {n for p in here.params for n in (*p.opts, *p.secondary_opts)}
    told = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert told <= options, f"there is no option {sorted(told - options)}"
    assert depth or told, "neither a command nor an option"


# Pages that programs write


def test_sdk_reference_is_up_to_date() -> None:
    written = (ROOT / "docs/reference/sdk.md").read_text()
    assert written == script("sdk_reference").page(), "run docs/sdk_reference.py"


def test_module_reference_is_up_to_date() -> None:
    reference = script("module_reference")
    written = {path.name: path.read_text() for path in reference.PAGES.glob("*.md")}
    assert written == reference.pages(), "run docs/module_reference.py"
