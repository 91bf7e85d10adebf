# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks a built site: its own links lead to a page and a place of it, others are https."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lxml import html


def check(site: Path) -> int:
    """Print what leads nowhere; the exit code."""
    pages = sorted(site.rglob("*.html"))
    broken = [problem for page in pages for problem in _problems(page, site)]
    print("\n".join(broken) or f"{len(pages)} pages, every link leads somewhere")
    return 1 if broken else 0


def _problems(page: Path, site: Path) -> Iterator[str]:
    for link in sorted(set(_tree(page).xpath("//@href | //@src"))):
        url = urlsplit(link)
        where = f"{page.relative_to(site)}: {link}"
        if url.scheme or url.netloc:
            if url.scheme not in ("https", "data") or (url.scheme == "https" and not url.netloc):
                yield f"{where}: not an https address"
            continue
        target = (page.parent / unquote(url.path)).resolve() if url.path else page
        if not target.is_file():
            yield f"{where}: no such file"
        elif url.fragment and target.suffix == ".html" and url.fragment not in _places(target):
            yield f"{where}: no such place on the page"


@cache
def _tree(page: Path) -> html.HtmlElement:
    return html.fromstring(page.read_bytes())


@cache
def _places(page: Path) -> frozenset[str]:
    return frozenset(map(str, _tree(page).xpath("//@id | //a/@name")))
