# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the project promises its readers: short functions, short files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted(
    path for top in ("plugins", "sdk/src", "tests/rigs") for path in (ROOT / top).rglob("*.py")
)
LONGEST_FUNCTION = 40
LONGEST_FILE = 500


def functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield each function's name and length, without its docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            end = node.end_lineno or node.lineno
            first = node.body[0]
            documented = ast.get_docstring(node, clean=False) is not None
            docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
            yield node.name, end - node.lineno + 1 - docstring


def test_the_files_are_found() -> None:
    assert len(FILES) > 50 or not (ROOT / "sdk").exists()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= LONGEST_FILE
    assert [name for name, lines in functions(ast.parse(text)) if lines > LONGEST_FUNCTION] == []
