# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that every relative link in the Markdown files leads to a file, or to a heading of one.

Others are not followed: they must be https addresses.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Print what leads nowhere; the exit code."""
    names = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    listing = subprocess.run(names, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = [ROOT / name for name in listing.split("\0") if name and (ROOT / name).exists()]
    broken = [problem for file in files for problem in problems(file)]
    print("\n".join(broken) or f"{len(files)} files, every link leads somewhere")
    return 1 if broken else 0


def problems(file: Path) -> Iterator[str]:
    """One sentence for each link of the file that leads nowhere."""
    for link in links(file):
        url = urlsplit(link)
        if url.scheme or url.netloc:
            if url.scheme != "https" or "." not in url.netloc:
                yield f"{file.relative_to(ROOT)}: {link}: not an https address"
            continue
        target = (file.parent / unquote(url.path)).resolve() if url.path else file
        if not target.exists():
            yield f"{file.relative_to(ROOT)}: {link}: no such file"
        elif url.fragment and target.suffix == ".md" and url.fragment not in anchors(target):
            yield f"{file.relative_to(ROOT)}: {link}: no such heading"


def links(file: Path) -> Iterator[str]:
    """Where the file's links and images point."""
    for token in _inline(file):
        for child in token.children or ():
            if target := child.attrs.get("href") or child.attrs.get("src"):
                yield str(target)


def anchors(file: Path) -> set[str]:
    """The file's headings, as a link names them: lower case, spaces as hyphens, no punctuation."""
    tokens = MarkdownIt("commonmark").parse(file.read_text())
    headings = [
        tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"
    ]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _inline(file: Path) -> list[Token]:
    tokens = MarkdownIt("commonmark").enable("table").parse(file.read_text())
    return [token for token in tokens if token.type == "inline"]


if __name__ == "__main__":
    sys.exit(main())
