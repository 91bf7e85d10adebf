# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What builds and checks the website. The site itself is built by a stage of its own."""

from __future__ import annotations

from pathlib import Path

import drawing
import pytest
import site_links
import website

PAGE = '<html><body><h1 id="top">Page</h1><a href="{link}">a link</a></body></html>'


def site(folder: Path, link: str) -> Path:
    (folder / "sub").mkdir()
    (folder / "index.html").write_text(PAGE.format(link="sub/page.html#top"))
    (folder / "sub" / "page.html").write_text(PAGE.format(link=link))
    return folder


@pytest.mark.parametrize(
    "link", ["../index.html", "../index.html#top", "#top", "https://example.com/x#y"]
)
def test_links_that_lead_somewhere(tmp_path: Path, link: str) -> None:
    assert site_links.check(site(tmp_path, link)) == 0


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("index.html", "no such file"),
        ("../index.html#bottom", "no such place"),
        ("#bottom", "no such place"),
        ("http://example.com", "not an https address"),
        ("https:example.com", "not an https address"),
    ],
)
def test_links_that_lead_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], link: str, problem: str
) -> None:
    assert site_links.check(site(tmp_path, link)) == 1
    assert f"sub/page.html: {link}: {problem}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "place", "link"),
    [
        ("README.md", "vm.md", "index.md"),
        ("docs/vm.md", "roles/gpu_pool.md", "../vm.md"),
        ("docs/reference/modules/vm.md", "index.md", "modules/vm_module.rst"),
        ("docs/reference/modules/vms.md", "index.md", "modules/vms_inventory.rst"),
        ("docs/reference/modules/gpu_overview.md", "gpu.md", "modules/gpu_overview_lookup.rst"),
        ("docs/images/result.svg", "index.md", "images/result.svg"),
        ("contracts/x.yaml", "index.md", f"{website.REPOSITORY}contracts/x.yaml"),
    ],
)
def test_links_are_turned_to_where_the_site_has_their_targets(
    target: str, place: str, link: str
) -> None:
    pages = website.PAGES | {"docs/vm.md": "vm.md"}
    assert website.target_on_site(target, place, pages) == link


def test_the_drawing_leaves_out_what_others_imply() -> None:
    rooms = {"a": {"b", "c"}, "b": {"c"}, "c": set[str]()}
    assert {name: drawing.direct(name, rooms) for name in rooms} == {
        "a": {"b"},
        "b": {"c"},
        "c": set(),
    }


def test_the_drawing_knows_the_layers() -> None:
    rooms = drawing.rooms()
    assert "fleet" in rooms["cli"]
    assert "cli" not in rooms["fleet"]
    assert {name for name in rooms if name.startswith("backends/")} >= {"backends/libvirt"}
    assert rooms[drawing.COLLECTION]
