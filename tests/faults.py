"""A proxy between the modules and a management plane that does to the n-th request what networks and servers do."""
from __future__ import annotations

import contextlib
import http.client
import http.server
import itertools
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

STATUSES = {"429": 429, "500": 500, "502": 502, "503": 503, "504": 504}
# "killed": the run dies when its request was carried out, before the answer: no later request of it arrives.
KINDS = [*STATUSES, "reset before", "reset after", "stall", "cut", "killed"]
STALL = 1.0  # s; the tests' timeout is shorter


class Faults:
    """Which request meets which fault. `asked` is what came, by its number from 1 on.

    Those that match `broken` get 500; where `times` is set, only so many.
    """

    def __init__(self) -> None:
        self.number, self.kind, self.broken = 0, "", ""
        self.times: int | None = None
        self.asked: list[str] = []
        self._count = itertools.count(1)

    def arm(self, number: int, kind: str) -> None:
        self.number, self.kind, self.asked, self._count = number, kind, [], itertools.count(1)

    def meets(self, what: str) -> str:
        self.asked.append(what)
        if self.broken and self.times != 0 and re.search(self.broken, what):
            self.times = None if self.times is None else self.times - 1
            return "500"
        number = next(self._count)
        if self.kind == "killed" and number > self.number > 0:
            return "reset before"
        return self.kind if number == self.number else ""


@contextlib.contextmanager
def proxy(
    target: str, faults: Faults | None = None, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", prefix: str = ""
) -> Iterator[str]:
    """The URL of the proxy in front of `target`; with TLS, on another address, below a path, if so wanted."""
    there, faults = urlsplit(target), faults or Faults()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # headers and body go separately

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = faults.meets(f"{self.command} {self.path}")
            if fault == "reset before":
                return self.reset()
            if fault in STATUSES:
                return self.answer(STATUSES[fault], [("Retry-After", "0")] if fault == "429" else [], b"")
            if fault == "stall":
                time.sleep(STALL)
                return self.reset()
            upstream = http.client.HTTPConnection(there.hostname or "", there.port or 80, timeout=20)
            upstream.request(self.command, self.path.removeprefix(prefix), body, dict(self.headers.items()))
            response = upstream.getresponse()
            data = response.read()
            upstream.close()
            if fault in ("reset after", "killed"):
                return self.reset()
            kept = [(name, value) for name, value in response.getheaders() if name.lower() in KEPT]
            return self.answer(response.status, kept, data, cut=fault == "cut")

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def answer(self, status: int, headers: list[tuple[str, str]], data: bytes, cut: bool = False) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            if status not in (204, 304):
                self.send_header("Content-Length", str(len(data) + (10 if cut else 0)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if cut else data)
            if cut:
                self.reset()

        def reset(self) -> None:
            """As a connection ends that is torn down: no FIN, an RST."""
            self.close_connection = True
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

        def finish(self) -> None:
            with contextlib.suppress(OSError, ValueError):
                super().finish()

        def log_message(self, *arguments: Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        def handle_error(self, *arguments: Any) -> None:
            """A client that hangs up is what some tests are about."""

    server = Server((host, 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.05}).start()
    try:
        named = f"[{host}]" if ":" in host else host
        yield f"{'https' if tls else 'http'}://{named}:{server.server_port}{prefix}"
    finally:
        server.shutdown()
        server.server_close()


KEPT = ("content-type", "etag", "location", "www-authenticate", "set-cookie")
