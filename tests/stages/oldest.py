# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the oldest releases that the SDK allows of its libraries, as constraints for pip: FILE."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).resolve().parents[2] / "sdk" / "pyproject.toml"


def constraints() -> list[str]:
    """One line for each library that the SDK names, whatever the extra."""
    project = tomllib.loads(PROJECT.read_text())["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = [Requirement(line) for requirements in lists for line in requirements]
    return sorted({_oldest(one) for one in wanted if one.name != project["name"]}, key=str.lower)


def _oldest(requirement: Requirement) -> str:
    (bound,) = [part.version for part in requirement.specifier if part.operator == ">="]
    return f"{requirement.name}=={bound}"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text("\n".join(constraints()) + "\n")
