# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What MCP clients register: data, with its sources.

redirect_uris: the URIs that the client may name, see `fits`. metadata_document: the URL that the client gives as its id
where the server knows client ID metadata documents (AM 4.12), None if it always registers.
"""
from __future__ import annotations

import fnmatch
from typing import Any
from urllib.parse import urlsplit

PROFILES: dict[str, dict[str, Any]] = {
    # Registration bodies in https://github.com/jlowin/fastmcp/issues/1868 and in the recordings of AM.
    "vscode": {
        "redirect_uris": [
            "http://127.0.0.1/",
            "http://127.0.0.1:33418/",
            "http://localhost/",
            "http://localhost:33418/",
            "https://vscode.dev/redirect",
            "https://insiders.vscode.dev/redirect",
        ],
        "metadata_document": "https://vscode.dev/oauth/client-metadata.json",
    },
    # https://code.claude.com/docs/en/mcp: http://localhost:PORT/callback, any free port unless --callback-port fixes it.
    # The document: https://github.com/anthropics/claude-code/issues/44429.
    "claude_code": {
        "redirect_uris": ["http://localhost:*/callback", "http://127.0.0.1:*/callback"],
        "metadata_document": "https://claude.ai/oauth/claude-code-client-metadata",
    },
    # Claude on the web and on the desktop: https://github.com/anthropics/claude-ai-mcp/issues/124.
    "claude_ai": {
        "redirect_uris": ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"],
        "metadata_document": None,
    },
    # https://cursor.com/docs/mcp; the three of one registration in https://github.com/erp-mafia/accounted/pull/2225.
    "cursor": {
        "redirect_uris": [
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "cursor://anysphere.cursor-retrieval/oauth/callback",
            "https://www.cursor.com/agents/mcp/oauth/callback",
            "http://localhost:8787/callback",
        ],
        "metadata_document": None,
    },
    # https://github.com/modelcontextprotocol/inspector: the page's own origin, port 6274 by default.
    "mcp_inspector": {
        "redirect_uris": ["http://localhost:6274/oauth/callback*", "http://127.0.0.1:6274/oauth/callback*"],
        "metadata_document": None,
    },
    # Programs written with the official SDKs: redirect URIs of their own, on the machine that they run on.
    "mcp_sdk": {
        "redirect_uris": ["http://localhost:*/*", "http://127.0.0.1:*/*", "http://localhost/*", "http://127.0.0.1/*"],
        "metadata_document": None,
    },
}
LOOPBACK = ("localhost", "127.0.0.1")


def fits(uri: str, pattern: str) -> bool:
    """Whether a redirect URI is what `pattern` says: the same scheme and host, a port that may be *, a path with * and ?.

    Compared part by part, as http://localhost:1@evil.example/ begins like a loopback address.
    """
    actual, wanted = urlsplit(uri), urlsplit(pattern)
    (host, port), (wanted_host, wanted_port) = _host_and_port(actual.netloc), _host_and_port(wanted.netloc)
    return (
        actual.scheme == wanted.scheme
        and host == wanted_host
        and (port == wanted_port or (wanted_port == "*" and (port.isdigit() or not port)))
        and fnmatch.fnmatchcase(actual.path or "/", wanted.path or "/")
        and not (actual.query or actual.fragment)
    )


def _host_and_port(netloc: str) -> tuple[str, str]:
    host, port = netloc.partition(":")[::2] if not netloc.startswith("[") else (netloc, "")
    return host.lower(), port


def needs(names: list[str]) -> dict[str, bool]:
    """What a domain must allow for the clients of these profiles to register."""
    uris = [urlsplit(uri) for name in names for uri in PROFILES[name]["redirect_uris"]]
    needed = {
        "allow_localhost_redirect_uri": any(_host_and_port(uri.netloc)[0] in LOOPBACK for uri in uris),
        "allow_http_scheme_redirect_uri": any(uri.scheme == "http" for uri in uris),
    }
    return {name: True for name, value in needed.items() if value}


def document_hosts(names: list[str]) -> list[str]:
    """The hosts of the metadata documents of these profiles."""
    documents = [PROFILES[name]["metadata_document"] for name in names]
    return sorted({urlsplit(document).netloc for document in documents if document})
