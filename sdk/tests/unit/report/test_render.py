# SPDX-License-Identifier: Apache-2.0
"""The report of made-up fleets: whole, safe, for everybody, and quick."""

from __future__ import annotations

import re
import time
from datetime import UTC
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest
from lxml import html

from hostler.models.report import ReportCloud, ReportData, ReportHost, ReportVm
from hostler.report.render import render

from .made_up import EVIL, NOW, empty, fleet

pytestmark = pytest.mark.slow

CASES: dict[str, ReportData] = {
    "empty": empty(),
    "small": fleet(3, 14),
    "plain": fleet(2, 5, cloud=False, history=False),
    "large": fleet(300, 3000),
}
CSS = (files("hostler.report") / "templates" / "report.css").read_text()


@cache
def text_of(name: str) -> str:
    return render(CASES[name], UTC)


def parsed(told: str) -> Any:
    return html.document_fromstring(told)


@cache
def page(name: str) -> Any:
    return parsed(text_of(name))


def section(name: str, title: str) -> str:
    (found,) = page(name).xpath(f"//section[.//h2 = '{title}']")
    return " ".join(found.text_content().split())


@pytest.mark.parametrize("name", CASES)
def test_it_needs_nothing_else(name: str) -> None:
    found = page(name)
    assert found.xpath(
        "//script | //img | //iframe | //object | //form | //@src | //@style/.."
    ) == [span for span in found.xpath("//*[@style]") if span.tag == "span"]
    assert [str(one) for one in found.xpath("//@href")] == ["data:,"]
    (policy,) = found.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert not re.search(r"url\(|@import|@font-face", CSS)


@pytest.mark.parametrize("name", CASES)
def test_it_is_for_everybody(name: str) -> None:
    found = page(name)
    assert found.xpath("//html/@lang") == ["en"]
    for table in found.xpath("//table"):
        assert table.xpath("./caption[normalize-space()]")
        assert table.xpath("./thead//th[not(@scope = 'col')]") == []
    assert found.xpath("//tbody//th[not(@scope = 'row')]") == []
    for drawn in found.xpath("//svg[not(@aria-hidden = 'true')]"):
        assert drawn.get("role") == "img"
        assert drawn.get("aria-label")
    levels = [int(one.tag[1]) for one in found.xpath("//h1 | //h2 | //h3")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = found.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert set(found.xpath("//@aria-labelledby")) <= set(ids)


def test_names_are_text() -> None:
    nasty = [EVIL, '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "</style>", "a&b"]
    hosts = [ReportHost(name=n, status=n, reason=n, labels={n: n}, history=[1, 2]) for n in nasty]
    vms = [ReportVm(name=n, host=n, status=n, cpu_cores=1, memory_gb=1) for n in nasty]
    cloud = ReportCloud(name=EVIL, reason=EVIL)
    told = render(empty(title=EVIL, hosts=hosts, vms=vms, cloud=cloud, notes=nasty), UTC)
    found = parsed(told)
    assert found.xpath("//script | //img") == []
    assert [" ".join(one.text_content().split()) for one in found.xpath("//h1")] == [EVIL]
    assert len(found.xpath("//style")) == 1
    assert {
        t.text_content() for t in found.xpath("//table[@class='rows vms']//tbody/tr/th")
    } == set(nasty)


def test_trouble_comes_first_and_the_rest_is_folded_away() -> None:
    hosts = page("large").xpath("//section[.//h2 = 'Hosts']")[0]
    open_rows = hosts.xpath("./table/tbody/tr")
    assert len(open_rows) == 20
    assert len(hosts.xpath("./details/table/tbody/tr")) == 280
    assert "280 more hosts" in hosts.text_content()
    states = [row.xpath("string(.//span[contains(@class, 'badge')])") for row in open_rows]
    assert states[:8] == ["unreachable"] * 8
    vms = page("large").xpath("//table[@class='rows vms']/tbody/tr")
    assert len(vms) == 3000
    assert vms[0].xpath("string(./td[1]/span)") == "crashed"
    assert page("large").xpath("//table[@class='rows vms']/ancestor::details/@open") == []
    assert page("plain").xpath("//table[@class='rows vms']/ancestor::details[@open]")


def test_numbers_are_for_people() -> None:
    tiles = [
        " ".join(" ".join(t.itertext()).split())
        for t in page("large").xpath("//li[contains(@class, 'tile')]")
    ]
    assert tiles[1].startswith("Hosts reached 292 of 300")
    assert re.match(r"VMs running 2,\d\d\d of 3,000 ", tiles[2])
    assert re.match(r"Memory in use \d\d % [\d.]+ TiB of [\d.]+ TiB", tiles[3])
    assert "None" not in page("large").text_content()


EMPTY = {
    "Alerts": "No alerts.",
    "Hosts": "No hosts are registered.",
    "VMs": "There are no VMs.",
    "GPU pools": "No GPU cloud is configured.",
    "History": "Nothing was collected yet.",
    "Last commands": "No command was carried out yet.",
}


@pytest.mark.parametrize("title", EMPTY)
def test_nothing_is_said_to_be_nothing(title: str) -> None:
    assert EMPTY[title] in section("empty", title)


def test_what_could_not_be_read_is_said() -> None:
    cloud = ReportCloud(name="prod", reason="Keystone does not answer")
    lost = ReportHost(name="kvm1", status="unreachable", reason="no answer in 30 s")
    told = render(empty(cloud=cloud, hosts=[lost], notes=["kvm2: no pools"]), UTC)
    for words in ("Keystone does not answer", "no answer in 30 s", "kvm2: no pools"):
        assert words in told
    assert "0 of 1" in " ".join(parsed(told).text_content().split())


def test_charts_are_told_in_words() -> None:
    labels = page("small").xpath("//figure//svg/@aria-label")
    assert len(labels) == 6
    assert all(re.match(r".+, the last 24 hours: between .+ and .+, now .+", one) for one in labels)


def test_300_hosts_are_quick() -> None:
    data = CASES["large"].model_copy()
    began = time.process_time()
    told = render(data, UTC)
    assert time.process_time() - began < 5
    assert len(told) < 2_000_000
    assert NOW.isoformat() in told


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))


ROOTS = [colours(block) for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)]
LIGHT, DARK, PRINT = (({**ROOTS[0], **own}) for own in ROOTS)


def luminance(colour: str) -> float:
    """Source: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


PAIRS = [
    *((text, back, 4.5) for text in ("text", "soft", "accent") for back in ("page", "card")),
    *((name, f"{name}-back", 4.5) for name in ("good", "warn", "bad", "info", "idle")),
    *((f"{name}-bar", "card", 3) for name in ("good", "warn", "bad")),
]


@pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=["light", "dark", "print"])
@pytest.mark.parametrize(
    ("front", "back", "least"), PAIRS, ids=[f"{a}-on-{b}" for a, b, _ in PAIRS]
)
def test_contrast(theme: dict[str, str], front: str, back: str, least: float) -> None:
    assert contrast(theme[front], theme[back]) >= least
