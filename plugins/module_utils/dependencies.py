# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that imports third-party packages.

Ansible may run a module with a Python that lacks them. Importing must not fail then: the modules look at
MISSING first and say which package to install.
"""
from __future__ import annotations

import traceback

MISSING: str | None = None  # the package that could not be imported
TRACEBACK: str | None = None

try:
    import requests
    from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
    from pydantic.alias_generators import to_camel
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import MaxRetryError
    from urllib3.util.retry import Retry
except ImportError as error:
    MISSING = (error.name or "requests").partition(".")[0]
    TRACEBACK = traceback.format_exc()
    requests = None
    HTTPAdapter = Retry = BaseModel = object
    ValidationError = MaxRetryError = ValueError

    def ConfigDict(**options):
        return options

    def Field(*args, **options):
        return None

    def field_validator(*fields, **options):
        return lambda function: function

    def to_camel(name):
        return name


__all__ = [
    "MISSING",
    "TRACEBACK",
    "BaseModel",
    "ConfigDict",
    "Field",
    "HTTPAdapter",
    "MaxRetryError",
    "Retry",
    "ValidationError",
    "field_validator",
    "requests",
    "to_camel",
]
