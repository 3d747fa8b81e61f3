"""The planes on their ports, in a thread of their own."""
from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from .am_gateway import AmGateway
from .am_management import AmManagement
from .apim_gateway import ApimGateway
from .apim_management import ApimManagement
from .mcp_server import PATHS, mcp_app
from .world import Request, World

STATUS_LINE[0] = b"HTTP/1.1 0 \r\n"  # what APIM's gateway answers by a response template without a status
DEFAULT_PORTS = {"apim": 8083, "gateway": 8082, "am": 8093, "am_gateway": 8092, "mcp": 9000}


class PortTaken(Exception):
    def __init__(self, plane: str, port: int, reason: OSError):
        super().__init__(f"Port {port} of {plane} cannot be used: {reason.strerror}")
        self.plane = plane


class _Log:
    """Notes each request, and tells who wants to know, when its answer is ready."""

    def __init__(self, app: Any, plane: str, world: World):
        self.app, self.plane, self.world = app, plane, world

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def noting(message: Any) -> None:
            if message["type"] == "http.response.start":
                request = Request(self.plane, scope["method"], scope["path"], message["status"])
                self.world.log.append(request)
                if self.world.on_answer:
                    self.world.on_answer(request)
            await send(message)

        await asyncio.sleep(self.world.latency.get(self.plane, 0))
        await self.app(scope, receive, noting if scope["type"] == "http" else send)


class Sandbox:
    """Starts on `ports` (0 for any free one; what is left out is 0) and serves until stop().

    fast: with a parser in C, for measurements that the sandbox should not be the bottleneck of.
    """

    def __init__(self, world: World, ports: dict[str, int] | None = None, mcp_json: bool = False, fast: bool = False):
        self.world = world
        self.am_gateway = AmGateway(world)
        apps = {
            "apim": ApimManagement(world).app(),
            "gateway": ApimGateway(world),
            "am": AmManagement(world).app(),
            "am_gateway": self.am_gateway.app(),
            "mcp": mcp_app(world, mcp_json),
        }
        self._servers, self._sockets = [], []
        for plane, app in apps.items():
            listener = socket.socket(proto=socket.IPPROTO_TCP)  # else asyncio leaves Nagle on: 40 ms for each answer
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port = (ports or {}).get(plane, 0)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError as error:
                raise PortTaken(plane, port, error) from error
            world.urls[plane] = f"http://127.0.0.1:{listener.getsockname()[1]}"
            lifespan = "on" if plane == "mcp" else "off"
            config = uvicorn.Config(
                _Log(app, plane, world),
                log_level="warning",
                lifespan=lifespan,
                timeout_graceful_shutdown=1,
                http="httptools" if fast or plane == "gateway" else "h11",
            )
            self._servers.append(uvicorn.Server(config))
            self._sockets.append(listener)
        world.urls |= {name: world.urls["mcp"] + path for name, path in PATHS.items()}
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self) -> Sandbox:
        self._thread.start()
        while not all(server.started for server in self._servers):
            if not self._thread.is_alive():
                raise RuntimeError("the sandbox did not start")
            self._thread.join(0.02)
        return self

    def _serve(self) -> None:
        async def serve() -> None:
            pairs = zip(self._servers, self._sockets, strict=True)
            await asyncio.gather(*(server._serve([listener]) for server, listener in pairs))

        asyncio.run(serve())

    def stop(self) -> None:
        for server in self._servers:
            server.should_exit = True
        self._thread.join(5)

    def reset(self) -> None:
        """A fresh installation on the same ports."""
        self.world.reset()
        self.am_gateway.servers.clear()
        self.am_gateway.sessions.clear()
