"""The official MCP Python SDK as a client with OAuth; runs with the SDK of version 1 or 2, whichever its Python has.

Arguments: the server's URL, a file that keeps client and tokens between runs, and a tool with its arguments as JSON. Prints one
JSON object: {"tools": […], "text": …} or {"error": …}.
"""
from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from tests.clients import REDIRECT, Login

try:  # version 2
    from mcp import Client
    from mcp.client.auth import AuthorizationCodeResult
except ImportError:
    Client = None


class FileStorage(TokenStorage):
    def __init__(self, path: Path):
        self.path = path
        self.kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def _keep(self, name: str, model: Any) -> None:
        self.kept[name] = model.model_dump(mode="json", exclude_none=True)
        self.path.write_text(json.dumps(self.kept))

    async def get_tokens(self) -> OAuthToken | None:
        return OAuthToken(**self.kept["tokens"]) if "tokens" in self.kept else None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self._keep("tokens", tokens)

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return OAuthClientInformationFull(**self.kept["client"]) if "client" in self.kept else None

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self._keep("client", client_info)


class Person:
    """Opens the URL that the SDK shows, logs in, consents; remembers what came to the redirect URI."""

    def __init__(self) -> None:
        self.answer: dict[str, str] = {}

    async def open(self, url: str) -> None:
        self.answer = await asyncio.to_thread(Login().approve, url, REDIRECT)

    async def come_back(self) -> Any:
        if "code" not in self.answer:
            raise RuntimeError(f"AM sent back {self.answer}")
        if Client is None:
            return self.answer["code"], self.answer.get("state")
        return AuthorizationCodeResult(**{name: self.answer.get(name) for name in ("code", "state", "iss")})


def provider(url: str, storage: FileStorage) -> OAuthClientProvider:
    person = Person()
    metadata = OAuthClientMetadata(
        client_name="SDK",
        redirect_uris=[REDIRECT],
        grant_types=["authorization_code", "refresh_token"],
        token_endpoint_auth_method="none",
    )
    return OAuthClientProvider(url, metadata, storage, redirect_handler=person.open, callback_handler=person.come_back)


async def use(url: str, auth: OAuthClientProvider, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    if Client is None:
        from mcp import ClientSession
        from mcp.client.streamable_http import streamablehttp_client

        async with streamablehttp_client(url, auth=auth) as (read, write, *_more):
            async with ClientSession(read, write) as client:
                await client.initialize()
                return await _call(client, tool, arguments)
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    async with httpx2.AsyncClient(auth=auth, timeout=20) as http:
        async with Client(streamable_http_client(url, http_client=http)) as client:
            return await _call(client, tool, arguments)


async def _call(client: Any, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    tools = await client.list_tools()
    result = await client.call_tool(tool, arguments)
    return {"tools": [one.name for one in tools.tools], "text": result.content[0].text}


def reasons(error: BaseException) -> list[str]:
    """The leaves of an exception group."""
    if isinstance(error, BaseExceptionGroup):
        return [reason for one in error.exceptions for reason in reasons(one)]
    return [f"{type(error).__name__}: {error}"]


async def main() -> int:
    url, kept, tool, arguments = sys.argv[1:]
    storage = FileStorage(Path(kept))
    try:
        done = await asyncio.wait_for(use(url, provider(url, storage), tool, json.loads(arguments)), 30)
    except Exception as error:
        done = {"error": "; ".join(reasons(error))}
    print(json.dumps(done))
    return 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
