# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the documentation's website in .cache/docs/html: .venv/bin/python docs/website.py.

Its sources are put together in .cache/docs/source: the Markdown pages, their links turned to where
the site has what they lead to; the reference of modules, by antsibull-docs; the drawing of the
code. A warning fails the build, and so does a link of the built site that leads nowhere.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import drawing
import site_links

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".cache" / "docs"
SOURCE = WORK / "source"
HTML = WORK / "html"
REPOSITORY = "https://github.com/hostler/fleet/blob/main/"

CONTENTS = {
    "First steps": ["getting-started", "concepts", "modules", "cli", "sdk", "inventory"],
    "Guides": [
        *("vm", "consoles", "storage", "hosts", "migration", "gpu", "openstack", "hyperstack"),
        *("launches", "metrics", "alerts", "events", "report", "molecule"),
    ],
    "Roles": ["roles/*"],
    "Reference": [
        "Modules, plugins and roles <modules/index>",
        "Environment variables <modules/environment_variables>",
        *("reference/sdk", "configuration", "schemas/index", "specifications"),
        *("troubleshooting", "from-other-tools", "benchmarks"),
    ],
    "Project": ["architecture", "contributing", "security", "code-of-conduct", "changelog"],
}
"""The site's table of contents. A page of docs/ that is not named is a guide."""

PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CODE_OF_CONDUCT.md": "code-of-conduct.md",
    "CHANGELOG.rst": "changelog.rst",
    "docs/schemas/README.md": "schemas/index.md",
    "docs/reference/sdk.md": "reference/sdk.md",
}
"""Pages of the repository and of the site; those of docs/ and the roles' come on top."""

_OWN_CONTENTS = re.compile(r"^\.\. contents::.*\n(?:   :.*\n)*", re.MULTILINE)  # the theme has them
_LINK = re.compile(r"(?<=\]\()[^)\s]+(?=\))")


def main() -> int:
    """Build the site and check it; the exit code."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    pages = PAGES | _found()
    for name, place in pages.items():
        if (ROOT / name).exists():
            _stage(name, place, pages)
    for name in ("images", "schemas"):
        shutil.copytree(ROOT / "docs" / name, SOURCE / name, dirs_exist_ok=True)
    (SOURCE / "schemas" / "README.md").unlink()
    with (SOURCE / "index.md").open("a") as index:
        index.write(_contents())
    _modules()
    drawing.draw(SOURCE / "architecture.md")
    return _sphinx() or site_links.check(HTML)


def _found() -> dict[str, str]:
    guides = {f"docs/{path.name}": path.name for path in (ROOT / "docs").glob("*.md")}
    roles = [path.parent.name for path in (ROOT / "roles").glob("*/README.md")]
    return guides | {f"roles/{role}/README.md": f"roles/{role}.md" for role in roles}


def _stage(name: str, place: str, pages: dict[str, str]) -> None:
    """Put a page in its place, its relative links turned to where the site has their targets."""

    def turned(link: re.Match[str]) -> str:
        path, hash_, fragment = link[0].partition("#")
        if not path or ":" in path:
            return link[0]
        target = os.path.normpath(Path(name).parent / path)
        return target_on_site(target, place, pages) + hash_ + fragment

    text = (ROOT / name).read_text()
    (SOURCE / place).parent.mkdir(parents=True, exist_ok=True)
    markdown = place.endswith(".md")
    (SOURCE / place).write_text(
        _LINK.sub(turned, text) if markdown else _OWN_CONTENTS.sub("", text)
    )


def target_on_site(target: str, place: str, pages: dict[str, str]) -> str:
    """Where a page of the site finds a file of the repository."""
    folder = Path(place).parent
    if target in pages:
        return os.path.relpath(pages[target], folder)
    if target.startswith("docs/reference/modules/"):
        return os.path.relpath(f"modules/{_module_page(Path(target).stem)}", folder)
    if target.startswith(("docs/images/", "docs/schemas/")):
        return os.path.relpath(target.removeprefix("docs/"), folder)
    return REPOSITORY + target


def _module_page(name: str) -> str:
    for kind, folder in (("inventory", "inventory"), ("lookup", "lookup")):
        if (ROOT / "plugins" / folder / f"{name}.py").exists():
            return f"{name}_{kind}.rst"
    return f"{name}_module.rst"


def _contents() -> str:
    """The table of contents, as Sphinx reads it; pages that are not there yet are left out."""
    named = {page for pages in CONTENTS.values() for page in pages}
    others = sorted({path.stem for path in SOURCE.glob("*.md")} - named - {"index"})
    text = ""
    for caption, pages in CONTENTS.items():
        listed = pages + (others if caption == "Guides" else [])
        body = "\n".join(page for page in listed if "<" in page or list(SOURCE.glob(f"{page}.*")))
        text += f"\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n\n{body}\n```\n"
    return text


def _modules() -> None:
    """Write the reference of modules, plugins and roles."""
    folder = SOURCE / "modules"
    folder.mkdir(mode=0o755)
    flags = ("--use-current", "--squash-hierarchy", "--fail-on-error", "--no-breadcrumbs")
    _run("antsibull-docs", "collection", *flags, "--dest-dir", str(folder), "hostler.fleet")
    for page in folder.glob("*.rst"):
        text = _OWN_CONTENTS.sub("", page.read_text())
        listed = page.name in ("index.rst", "environment_variables.rst")
        page.write_text(text.replace(":orphan:\n", "", 1) if listed else text)


def _sphinx() -> int:
    shutil.rmtree(HTML, ignore_errors=True)
    flags = ("--fail-on-warning", "--keep-going", "--quiet", "--fresh-env", "--jobs", "2")
    conf = ("--conf-dir", str(ROOT / "docs"), "--doctree-dir", str(WORK / "doctrees"))
    return _run("sphinx-build", *flags, *conf, str(SOURCE), str(HTML), check=False)


def _run(program: str, *arguments: str, check: bool = True) -> int:
    tools = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
    }
    done = subprocess.run(
        [f"{tools}/{program}", *arguments], cwd=ROOT, env=environment, check=check
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
