# SPDX-License-Identifier: Apache-2.0
"""The report in a real browser: light and dark, wide and narrow, printed, and by itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hostler.models.report import ReportData
from hostler.report.render import render

from ..unit.report.made_up import empty, fleet

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
ASK = """
<script>
const told = (element) => element.tagName + '.' + element.className;
addEventListener('load', () => {
  document.querySelectorAll('details').forEach((one) => { one.open = true; });
  const wide = [...document.querySelectorAll('body *')].filter(
    (e) => e.getBoundingClientRect().right > innerWidth + 1);
  const over = [...document.querySelectorAll('td, th, .tile, figcaption, .of')].filter(
    (e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth);
  const answer = {
    window: innerWidth,
    wide: wide.slice(0, 5).map(told), over: over.slice(0, 5).map(told),
    back: getComputedStyle(document.body).backgroundColor,
    requests: performance.getEntriesByType('resource').map((one) => one.name),
  };
  document.body.innerHTML = '<pre id="answer"></pre>';
  document.getElementById('answer').textContent = JSON.stringify(answer);
});
</script>
"""
DATA = {"three": fleet(3, 14), "many": fleet(300, 3000), "empty": empty()}
Browse = Callable[..., str]


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    """Run a browser of the test's own on a page."""
    assert CHROMIUM, "there is no chromium; run: make setup"

    def run(html: str, *options: str) -> str:
        (tmp_path / "page.html").write_text(html)
        argv = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path}/profile", *options]
        done = subprocess.run(
            [*argv, (tmp_path / "page.html").as_uri()],
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def asked(browse: Browse, html: str, *options: str) -> dict[str, Any]:
    """Ask the page about itself; its policy would not let a script run."""
    told = browse(POLICY.sub("", html).replace("</body>", f"{ASK}</body>"), "--dump-dom", *options)
    found = re.search(r'<pre id="answer">(.*?)</pre>', told, re.DOTALL)
    assert found, told[-2000:]
    return dict(
        json.loads(found[1].replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&"))
    )


LOOKS = [
    *(("three", 1280, "light"), ("three", 500, "dark"), ("three", 950, "light")),
    *(("many", 1280, "dark"), ("many", 600, "light"), ("empty", 600, "light")),
]


@pytest.mark.parametrize(("name", "width", "theme"), LOOKS)
def test_it_fits_its_window(browse: Browse, name: str, width: int, theme: str) -> None:
    options = (
        f"--window-size={width},900",
        f"--blink-settings=preferredColorScheme={int(theme == 'light')}",
    )
    found = asked(browse, render(DATA[name]), *options)
    assert found["window"] == width
    assert (found["wide"], found["over"]) == ([], [])
    assert found["back"] == {"light": "rgb(245, 246, 248)", "dark": "rgb(16, 20, 27)"}[theme]
    assert found["requests"] == []


def test_a_page_that_does_not_fit_and_asks_for_more_is_found(browse: Browse) -> None:
    more = '<p style="width:9000px"></p><img src="http://127.0.0.1:1/x.png"></body>'
    found = asked(browse, render(DATA["empty"]).replace("</body>", more), "--window-size=800,900")
    assert found["wide"] == ["P."]
    assert found["requests"] == ["http://127.0.0.1:1/x.png"]


def test_its_policy_stops_scripts(browse: Browse) -> None:
    script = "<script>document.title = 'taken over'</script></body>"
    told = browse(render(DATA["empty"]).replace("</body>", script), "--dump-dom")
    assert "<title>Fleet</title>" in told


def test_it_prints(browse: Browse, tmp_path: Path) -> None:
    browse(render(DATA["many"]), f"--print-to-pdf={tmp_path}/report.pdf")
    printed = (tmp_path / "report.pdf").read_bytes()
    assert printed.startswith(b"%PDF-")
    assert 4 <= printed.count(b"/Type /Page\n") <= 8, "300 hosts are folded away"


def test_a_picture_of_it(browse: Browse, tmp_path: Path) -> None:
    data: ReportData = DATA["three"]
    browse(render(data), f"--screenshot={tmp_path}/report.png", "--window-size=1280,1500")
    picture = (tmp_path / "report.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 50_000, "there is nothing on it"
