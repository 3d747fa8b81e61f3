# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens that outlive a task, so that a play exchanges its credentials once.

They are kept in memory-backed, private storage: a directory of mode 0700 below XDG_RUNTIME_DIR, /dev/shm or else the temporary
directory, a file of mode 0600 a token. File names are HMACs under a random key that lives there, too: they tell nothing of the
credentials. Whatever is not as it should be there (owner, mode, content) is not used, and never an error.
"""
from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import stat
import tempfile
import time
from pathlib import Path

MARGIN = 60  # s: a token that is about to expire is not used any more
UNKNOWN_LIFE = 300  # s: how long a token is kept that does not say when it expires


class TokenCache:
    """Tokens by the credentials that they were exchanged for."""

    def __init__(self, folder: Path | None = None):
        self._folder = folder or default_folder()

    def get(self, *credentials: str | None) -> str | None:
        """The token that is kept for these credentials and will not expire soon; None if there is none."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(self._private(self._path(credentials)).read_text(encoding="utf-8"))
            if kept["expires"] > time.time() + MARGIN:
                return str(kept["token"])
        return None

    def put(self, token: str, *credentials: str | None, expires: float | None = None) -> None:
        """expires: seconds since 1970; if None, what the token says of itself as a JWT."""
        kept = {"token": token, "expires": expires or _expiry(token) or time.time() + UNKNOWN_LIFE}
        with contextlib.suppress(OSError, ValueError):
            self._write(self._path(credentials), json.dumps(kept))

    def forget(self, *credentials: str | None) -> None:
        """Drop the token of these credentials; a file that cannot be removed stays."""
        with contextlib.suppress(OSError, ValueError):
            self._path(credentials).unlink(missing_ok=True)

    def _path(self, credentials: tuple[str | None, ...]) -> Path:
        name = hmac.new(self._key(), json.dumps(credentials).encode(), hashlib.sha256).hexdigest()
        return self._folder / name

    def _key(self) -> bytes:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._private(self._folder)
        path = self._folder / "key"
        if not path.exists():
            self._write(path, secrets.token_hex(32), replace=False)
        return self._private(path).read_bytes()

    @staticmethod
    def _private(path: Path) -> Path:
        """The path, if it is ours alone and no link; ValueError if not."""
        status = path.lstat()
        if status.st_uid != os.getuid() or status.st_mode & 0o077 or stat.S_ISLNK(status.st_mode):
            raise ValueError(f"{path} is not private")
        return path

    def _write(self, path: Path, text: str, replace: bool = True) -> None:
        """At once or not at all; with replace=False whoever comes first wins."""
        handle, temporary = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            if replace:
                os.replace(temporary, path)
            else:
                with contextlib.suppress(FileExistsError):
                    os.link(temporary, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)


def default_folder() -> Path:
    """The user's folder for tokens, in memory where the system has such a place."""
    for base in (os.environ.get("XDG_RUNTIME_DIR"), "/dev/shm"):
        if base and os.access(base, os.W_OK):
            return Path(base) / f"gravitee.mcp-{os.getuid()}"
    return Path(tempfile.gettempdir()) / f"gravitee.mcp-{os.getuid()}"


def _expiry(token: str) -> float | None:
    """The exp claim of a JWT, unverified: the server decides in the end."""
    try:
        payload = token.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return None
