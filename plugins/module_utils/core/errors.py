# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every exception that ends a task in one sentence. Anything else is a bug, and a traceback.

    Exception
      Refusal     the parameters ask for something that must not or cannot be done
      ApiError    a server said no, or could not be asked
"""
from __future__ import annotations


class Refusal(Exception):
    """The parameters ask for something that must not or cannot be done. The text is one sentence for the user."""


class ApiError(Exception):
    """A server said no, or could not be asked. The text is one sentence: method, path, status, message, remedy."""

    def __init__(self, method: str, path: str, status: int | None, message: str, code: str = "", remedy: str = ""):
        self.method, self.path, self.status, self.message = method, path, status, message
        self.code, self.remedy = code, remedy
        answer = f"answered {status}: {message or 'no message'}" if status else message
        super().__init__(f"{method} {path} {answer}" + (f" ({remedy})" if remedy else ""))
