"""The official MCP Python SDK as a client with OAuth; runs with the SDK of version 1 or 2, whichever its Python has.

Arguments: the server's URL, a file that keeps client and tokens between runs, and a tool with its arguments as JSON. Prints one
JSON object: {"tools": […], "text": …} or {"error": …}.

Or one argument, a file with calls, each {"url", "token", "tool", "arguments"}: made with the token as it is, without OAuth, so
that the SDK cannot get a better one. Prints a list: {"tools": […], "text": …} or {"error": …, "got": …}, see refusal().
"""
from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from tests.clients import REDIRECT, Login

try:  # version 2
    import httpx2 as httpx
    from mcp import Client
    from mcp.client.auth import AuthorizationCodeResult
except ImportError:
    import httpx

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


async def use(url: str, tool: str, arguments: dict[str, Any], **given: Any) -> dict[str, Any]:
    """`given` is for the HTTP client that the SDK uses."""
    async with httpx.AsyncClient(timeout=20, **given) as http:
        if Client is None:
            async with streamable_http_client(url, http_client=http) as (read, write, *_more):
                async with ClientSession(read, write) as client:
                    await client.initialize()
                    return await _call(client, tool, arguments)
        async with Client(streamable_http_client(url, http_client=http)) as client:
            return await _call(client, tool, arguments)


async def _call(client: Any, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    tools = await client.list_tools()
    result = await client.call_tool(tool, arguments)
    return {"tools": [one.name for one in tools.tools], "text": result.content[0].text}


def reasons(error: BaseException) -> list[BaseException]:
    """The leaves of an exception group."""
    if isinstance(error, BaseExceptionGroup):
        return [reason for one in error.exceptions for reason in reasons(one)]
    return [error]


async def with_token(url: str, token: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    answers: list[Any] = []

    async def note(response: Any) -> None:
        answers.append(response)

    headers = {"Authorization": f"Bearer {token}"}
    try:
        return await use(url, tool, arguments, headers=headers, event_hooks={"response": [note]})
    except Exception as error:
        return refusal(error, answers[-1])


def refusal(error: BaseException, answer: Any) -> dict[str, Any]:
    """The SDK's error: its class, its message, the code and the challenge that a program finds in it; and those of the answer."""
    [raised] = reasons(error)
    carried = getattr(raised, "response", None)
    told = [getattr(raised, "code", None), getattr(raised, "data", None)] if carried is None else _status_and_challenge(carried)
    return {"error": [type(raised).__name__, str(raised), *told], "got": _status_and_challenge(answer)}


def _status_and_challenge(response: Any) -> list[Any]:
    return [response.status_code, response.headers.get("www-authenticate")]


async def main() -> int:
    if len(sys.argv) == 2:
        print(json.dumps([await with_token(**call) for call in json.loads(Path(sys.argv[1]).read_text())]))
        return 0
    url, kept, tool, arguments = sys.argv[1:]
    auth = provider(url, FileStorage(Path(kept)))
    try:
        done = await asyncio.wait_for(use(url, tool, json.loads(arguments), auth=auth), 30)
    except Exception as error:
        done = {"error": "; ".join(f"{type(one).__name__}: {one}" for one in reasons(error))}
    print(json.dumps(done))
    return 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
