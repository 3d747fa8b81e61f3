# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What MCP clients register: data, with its sources.

redirect_uris: the URIs that the client may name, see `fits`. grant_types and auth_methods: what else it may register; public
clients where the source says so. metadata_document: the URL that the client gives as its id where the server knows client ID
metadata documents (AM 4.12), None if it always registers.
"""
from __future__ import annotations

import fnmatch
import re
from typing import Any
from urllib.parse import urlsplit

USER_GRANTS = ("authorization_code", "refresh_token")  # each of them begins with a person who logs in
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
PUBLIC = ("none",)
ANY_SECRET = ("none", "client_secret_post", "client_secret_basic")  # as the SDKs choose from the server's metadata

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
        "grant_types": (*USER_GRANTS, DEVICE),
        "auth_methods": PUBLIC,
        "metadata_document": "https://vscode.dev/oauth/client-metadata.json",
    },
    # https://code.claude.com/docs/en/mcp: http://localhost:PORT/callback, any free port unless --callback-port fixes it.
    # The document: https://github.com/anthropics/claude-code/issues/44429.
    "claude_code": {
        "redirect_uris": ["http://localhost:*/callback", "http://127.0.0.1:*/callback"],
        "grant_types": USER_GRANTS,
        "auth_methods": PUBLIC,
        "metadata_document": "https://claude.ai/oauth/claude-code-client-metadata",
    },
    # Claude on the web and on the desktop: https://github.com/anthropics/claude-ai-mcp/issues/124.
    "claude_ai": {
        "redirect_uris": ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"],
        "grant_types": USER_GRANTS,
        "auth_methods": ANY_SECRET,
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
        "grant_types": USER_GRANTS,
        "auth_methods": ANY_SECRET,
        "metadata_document": None,
    },
    # Each connector has a callback of its own; the second is of apps published before: https://developers.openai.com/apps-sdk/build/auth
    # and https://github.com/makeplane/plane-mcp-server/pull/165. ChatGPT registers public clients:
    # https://github.com/BasedHardware/omi/issues/8824.
    "chatgpt": {
        "redirect_uris": ["https://chatgpt.com/connector/oauth/*", "https://chatgpt.com/connector_platform_oauth_redirect"],
        "grant_types": USER_GRANTS,
        "auth_methods": ANY_SECRET,
        "metadata_document": None,
    },
    # A free port at each login, and 33418 in its document: https://github.com/github/copilot-cli/issues/1951 and /4793.
    "copilot_cli": {
        "redirect_uris": ["http://127.0.0.1:*/"],
        "grant_types": USER_GRANTS,
        "auth_methods": PUBLIC,
        "metadata_document": None,  # it has one, on github.com, where anyone can have a document
    },
    # A redirect URI of its own for each connector, of any tenant of Microsoft's: https://github.com/Teamwork/mcp/issues/67 and
    # https://github.com/tableau/tableau-mcp/issues/866 (registrations that were refused); what else it registers no source says.
    "copilot_studio": {
        "redirect_uris": ["https://global.consent.azure-apim.net/redirect/*"],
        "grant_types": USER_GRANTS,
        "auth_methods": ANY_SECRET,
        "metadata_document": None,
    },
    # OpenAI's Codex: a free port, and a path that follows from the server's URL: https://github.com/openai/codex/issues/30460
    # and https://github.com/elmohq/elmo/pull/684 (a registration that was captured).
    "codex": {
        "redirect_uris": ["http://127.0.0.1:*/callback/*"],
        "grant_types": USER_GRANTS,
        "auth_methods": ANY_SECRET,
        "metadata_document": None,
    },
    # https://github.com/google-gemini/gemini-cli/blob/main/docs/tools/mcp-server.md: 7777, or a free port.
    "gemini_cli": {
        "redirect_uris": ["http://localhost:*/oauth/callback"],
        "grant_types": USER_GRANTS,
        "auth_methods": ANY_SECRET,
        "metadata_document": None,
    },
    # https://github.com/anomalyco/opencode/issues/7377: 19876 unless redirectUri says otherwise.
    "opencode": {
        "redirect_uris": ["http://127.0.0.1:*/mcp/oauth/callback"],
        "grant_types": USER_GRANTS,
        "auth_methods": ANY_SECRET,
        "metadata_document": None,
    },
    # https://github.com/geelen/mcp-remote/blob/main/src/lib/node-oauth-client-provider.ts: --host and the port are the user's.
    "mcp_remote": {
        "redirect_uris": ["http://localhost:*/oauth/callback", "http://127.0.0.1:*/oauth/callback"],
        "grant_types": USER_GRANTS,
        "auth_methods": PUBLIC,
        "metadata_document": None,
    },
    # n8n in its own cloud: https://github.com/n8n-io/n8n/pull/21808. One that you host has your host in its redirect URI.
    "n8n_cloud": {
        "redirect_uris": ["https://oauth.n8n.cloud/oauth2/callback"],
        "grant_types": USER_GRANTS,
        "auth_methods": ANY_SECRET,
        "metadata_document": None,
    },
    # https://github.com/modelcontextprotocol/inspector: the page's own origin, port 6274 by default.
    "mcp_inspector": {
        "redirect_uris": ["http://localhost:6274/oauth/callback*", "http://127.0.0.1:6274/oauth/callback*"],
        "grant_types": USER_GRANTS,
        "auth_methods": PUBLIC,
        "metadata_document": None,
    },
    # Programs written with the official SDKs: redirect URIs of their own, on the machine that they run on.
    "mcp_sdk": {
        "redirect_uris": ["http://localhost:*/*", "http://127.0.0.1:*/*", "http://localhost/*", "http://127.0.0.1/*"],
        "grant_types": USER_GRANTS,
        "auth_methods": ANY_SECRET,
        "metadata_document": None,
    },
}
LOOPBACK = ("localhost", "127.0.0.1")


# Of a client's redirect URI: what a browser and AM read in one way only. No %, * or {#: to AM these are patterns and expressions.
_PLAIN = re.compile(
    r"[a-z][a-z0-9+.-]*:(//([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?)?(/(?!/)[\w.~!$&'()+,;=:@-]*)*", re.IGNORECASE | re.ASCII
)


def fits(uri: Any, pattern: str) -> bool:
    """Whether a redirect URI is what `pattern` says: the same scheme and host, a port that may be *, a path with * and ?.

    Compared part by part, as http://localhost:1@evil.example/ begins like a loopback address. What could be read in another way
    fits nothing: dot segments, escapes, user names, queries, fragments, blanks.
    """
    if not isinstance(uri, str) or not _PLAIN.fullmatch(uri):
        return False
    try:
        actual, wanted = urlsplit(uri), urlsplit(pattern)
    except ValueError:
        return False
    (host, port), (wanted_host, wanted_port) = _host_and_port(actual.netloc), _host_and_port(wanted.netloc)
    path = actual.path or "/"
    return (
        actual.scheme == wanted.scheme
        and host == wanted_host
        and (port == wanted_port or wanted_port == "*")
        and (not port or 0 < int(port) < 65536)
        and not {".", ".."} & set(path.split("/"))
        and fnmatch.fnmatchcase(path, wanted.path or "/")
    )


def _host_and_port(netloc: str) -> tuple[str, str]:
    """Of an IPv6 address the colons are part of the host."""
    host, bracket, rest = netloc.rpartition("]")
    more, _colon, port = rest.partition(":")
    return f"{host}{bracket}{more}".lower(), port


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


def is_document(url: Any) -> bool:
    """Whether AM takes this URL for the id of a client letter by letter: it lower-cases scheme and host."""
    if not isinstance(url, str) or not _PLAIN.fullmatch(url):
        return False
    parts = urlsplit(url)
    return parts.scheme in ("https", "http") and parts.netloc == parts.netloc.lower() != "" and parts.path not in ("", "/")
