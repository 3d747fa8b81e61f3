# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that imports third-party packages.

Ansible may run a module with a Python that lacks them. Importing must not fail then: the modules look at MISSING first and
fail with `sentence`.
"""
from __future__ import annotations

import shlex
import sys

REQUIRED = {"requests": "requests>=2.28", "pydantic": "pydantic>=2.0"}  # as requirements.txt has them
MISSING: list[str] = []

try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError
    from urllib3.poolmanager import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.util.retry import Retry
except ImportError:
    MISSING.append("requests")
    requests = None
    HTTPAdapter = HTTPConnectionPool = HTTPSConnectionPool = Retry = object
    HTTPError = MaxRetryError = NewConnectionError = ValueError

try:
    from pydantic import BaseModel, ConfigDict, ValidationError
    from pydantic.alias_generators import to_camel
except ImportError:  # also of version 1
    MISSING.append("pydantic")
    BaseModel = object
    ValidationError = ValueError

    def ConfigDict(**options):
        return options

    def to_camel(name):
        return name


def sentence():
    """Which packages this Python lacks, and the command that installs them for it."""
    python = shlex.quote(sys.executable)
    command = " ".join([python, "-m pip install", *(shlex.quote(REQUIRED[name]) for name in MISSING)])
    return f"{sys.executable} lacks {' and '.join(MISSING)}, or has a version that is too old. Install what is needed: {command}"


__all__ = [
    "MISSING",
    "REQUIRED",
    "BaseModel",
    "ConfigDict",
    "HTTPAdapter",
    "HTTPConnectionPool",
    "HTTPError",
    "HTTPSConnectionPool",
    "MaxRetryError",
    "NewConnectionError",
    "Retry",
    "ValidationError",
    "requests",
    "sentence",
    "to_camel",
]
