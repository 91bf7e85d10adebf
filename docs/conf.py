# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's configuration: https://www.sphinx-doc.org/en/master/usage/configuration.html."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from docutils import nodes

ROOT = Path(__file__).resolve().parents[1]
GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text())

project = "Hostler"
author = "Hostler contributors"
project_copyright = author
version = release = GALAXY["version"]

extensions = ["myst_parser", "sphinx_antsibull_ext"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
antsibull_ext_color_scheme = "none"  # site.css has them
myst_heading_anchors = 4
highlight_language = "text"

html_theme = "furo"
html_title = f"Hostler {version}"
html_static_path = [str(ROOT / "docs" / "static")]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "footer_icons": [{"name": "GitHub", "url": GALAXY["repository"], "html": "GitHub", "class": ""}]
}
pygments_style = "default"
pygments_dark_style = "github-dark"

ANSIBLE = "https://docs.ansible.com/ansible/latest/"
ANSIBLES = {
    "action_plugins": "plugins/action.html#action-plugins",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
"""Pages of Ansible's own documentation that those of modules refer to."""


def ansibles(_app: Any, _env: Any, node: Any, content: Any) -> nodes.reference | None:
    """Resolve a reference to Ansible's own documentation."""
    page = ANSIBLES.get(node.get("reftarget"))
    return nodes.reference("", "", content, refuri=ANSIBLE + page) if page else None


def setup(app: Any) -> None:
    """Sphinx calls this."""
    app.connect("missing-reference", ansibles)
