"""The website of the manual: the pages of docs/, and the reference that antsibull-docs makes of the plugins and the role."""
from __future__ import annotations

project = "gravitee.mcp"
copyright = "2026, the gravitee.mcp authors"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
html_theme = "sphinx_ansible_theme"
html_title = "gravitee.mcp"
html_use_smartypants = False
html_copy_source = False
html_theme_options = {"documentation_home_url": "index.html", "vcs_pageview_mode": "edit"}
myst_heading_anchors = 3
# References have a target, but for those into Ansible's own documentation.
nitpicky = True
nitpick_ignore = [
    ("std:ref", "action_plugins"),
    ("std:ref", "ansible_configuration_settings"),
    ("std:ref", "common_return_values"),
]
nitpick_ignore_regex = [("std:envvar", "ANSIBLE_.*"), ("envvar", "ANSIBLE_.*")]
