# SPDX-License-Identifier: Apache-2.0
"""What a name may look like; whatever passes can be kept in XML and as a file name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from hostler.models.names import MAX_NAME, check_name, check_text


@pytest.mark.parametrize(
    "name", ["web", "web-1", "Wéb", "日本", "a b", "a'b", 'a"b', "$(x)", "a;b", "<a>&b", "a.b", "*"]
)
def test_good_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", " a", "a ", ".a", "..", "a/b", "/", "a\nb", "a\tb", "a\0b", "a\x1bb", "\x7f", "\ud800",
     "x" * (MAX_NAME + 1), "é" * (MAX_NAME // 2 + 1)],
)  # fmt: skip
def test_bad_names(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        check_name(name)


def test_a_long_name_is_not_repeated_in_full() -> None:
    with pytest.raises(ValueError, match=f"{MAX_NAME} at most") as caught:
        check_name("x" * 5000)
    assert len(str(caught.value)) < 200


def accepted(text: str) -> bool:
    try:
        check_name(text)
    except ValueError:
        return False
    return True


@given(st.text(max_size=60).filter(accepted))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_accepted_names_survive_xml_and_the_file_system(tmp_path: Path, name: str) -> None:
    element = etree.Element("name")
    element.text = name
    assert etree.fromstring(etree.tostring(element)).text == name
    (tmp_path / f"{name}.qcow2").touch()
    assert os.listdir(tmp_path) == [f"{name}.qcow2"]  # noqa: PTH208
    (tmp_path / f"{name}.qcow2").unlink()


@given(st.text(max_size=60))
def test_accepted_text_survives_xml(text: str) -> None:
    try:
        check_text(text)
    except ValueError:
        return
    element = etree.Element("description")
    element.text = text
    again = etree.fromstring(etree.tostring(element)).text or ""
    assert again == text
