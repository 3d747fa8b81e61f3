"""A plane of the sandbox without a network: requests that go straight into its application, for tests that need thousands."""
from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse


class InProcess(BaseAdapter):
    """An adapter for requests.Session that asks an ASGI application, one request at a time."""

    def __init__(self, app: Any):
        super().__init__()
        self.app = app

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = requests.Response()
        response.request, response.url = request, request.url or ""
        asyncio.run(self._ask(request, response))
        return response

    async def _ask(self, request: requests.PreparedRequest, response: requests.Response) -> None:
        url = urlsplit(request.url or "")
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        content = b""

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: dict[str, Any]) -> None:
            nonlocal content
            if message["type"] == "http.response.start":
                response.status_code = message["status"]
                response.headers.update({name.decode(): value.decode() for name, value in message["headers"]})
            else:
                content += message.get("body", b"")

        scope = {
            "type": "http",
            "method": request.method,
            "path": url.path,
            "raw_path": url.path.encode(),
            "query_string": url.query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in request.headers.items()],
        }
        await self.app(scope, receive, send)
        response.raw = HTTPResponse(BytesIO(content), status=response.status_code, preload_content=False)

    def close(self) -> None:
        pass
