# SPDX-License-Identifier: Apache-2.0
"""What `import hostler` promises."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files

import pytest

import hostler


@pytest.mark.parametrize("name", hostler.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    found = getattr(hostler, name)
    assert name in dir(hostler)
    assert name == "__version__" or found.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        hostler.nonsense  # noqa: B018


def test_the_version_is_the_package_s() -> None:
    assert hostler.__version__ == version("hostler")


def test_types_are_shipped() -> None:
    assert (files("hostler") / "py.typed").is_file()
