"""A small server for answers that the sandbox does not give: proxies, other servers, faults."""
from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def serving(answer: Callable[..., tuple[int, dict[str, str], Any]], headers: bool = False) -> Iterator[str]:
    """A server whose every answer is `answer(method, path, body)`, or with `headers` (method, path, headers, body).

    A body that is an iterator is sent piece by piece, as it comes. With the status 0 the body is all that is sent.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            more = [dict(self.headers.items())] if headers else []
            status, told, body = answer(self.command, self.path, *more, sent)
            whole = isinstance(body, bytes)
            if status:
                self.send_response(status)
                for name, value in {**({"Content-Length": str(len(body))} if whole else {}), **told}.items():
                    self.send_header(name, value)
                self.end_headers()
            with contextlib.suppress(OSError):  # the caller may hang up
                for piece in [body] if whole else body:
                    self.wfile.write(piece)

        do_POST = do_GET = do_DELETE = handle_any

        def log_message(self, *arguments: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.02}).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
