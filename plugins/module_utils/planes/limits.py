# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An end for every answer: how long its headers and its body may take altogether, and how large the body may become.

The timeout of a socket starts again with each byte, so a server that sends one byte a second is never late by it.
"""
from __future__ import annotations

import contextlib
import socket
import threading
import zlib
from collections.abc import Iterator
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.dependencies import (
    HTTPAdapter,
    HTTPConnectionPool,
    HTTPError,
    HTTPSConnectionPool,
    requests,
)

MAX_BODY = 4 * 1024 * 1024  # bytes, decompressed: several times the longest list of tools that is of use
PIECE = 16 * 1024  # bytes read at a time; what they become is limited, too
DECODERS = {"gzip": 31, "x-gzip": 31, "deflate": 47}  # the window bits of zlib
ENCODINGS = "gzip, deflate"


class Overrun(OSError):
    """An answer takes too long, is too large, or has an encoding that nobody asked for. The text says which."""


@contextlib.contextmanager
def deadline(answering: Any, seconds: float) -> Iterator[None]:
    """Overrun if what stands inside takes longer; whatever waits at the socket `answering` is woken up."""
    over = threading.Event()

    def end() -> None:
        over.set()
        with contextlib.suppress(OSError, AttributeError, TypeError):
            socket.socket.shutdown(answering, socket.SHUT_RDWR)  # of the plain socket, also below TLS

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        if over.is_set():
            raise Overrun(_late(seconds)) from error
        raise
    finally:
        timer.cancel()
    if over.is_set():  # the end of the connection looks like the end of the headers or of the body
        raise Overrun(_late(seconds))


def _late(seconds: float) -> str:
    return f"the answer did not end within {seconds:g} s (timeout)"


def _timed(connection_class: Any) -> Any:
    """The connection class, with a deadline for the headers of each answer."""

    class Timed(connection_class):  # type: ignore[misc]
        answering: Any = None  # the socket, also when the connection has let go of it

        def getresponse(self, *args: Any, **more: Any) -> Any:
            self.answering = self.sock
            if not isinstance(self.timeout, (int, float)):
                return super().getresponse(*args, **more)
            try:
                with deadline(self.answering, self.timeout):
                    return super().getresponse(*args, **more)
            except Overrun as error:
                raise TimeoutError(str(error)) from error  # which urllib3 takes for a read timeout

    return Timed


class LimitedAdapter(HTTPAdapter):
    """HTTPAdapter whose connections have a deadline for the headers; read the body with `pieces`."""

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """As requests calls it, for connections without a proxy."""
        super().init_poolmanager(*args, **more)
        self._limit(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        """As requests calls it, for connections by a proxy."""
        manager = super().proxy_manager_for(proxy, **more)
        return manager if proxy.lower().startswith("socks") else self._limit(manager)  # SOCKS has connections of its own

    @staticmethod
    def _limit(manager: Any) -> Any:
        manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
        return manager


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _timed(getattr(HTTPConnectionPool, "ConnectionCls", object))


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _timed(getattr(HTTPSConnectionPool, "ConnectionCls", object))


def pieces(response: Any, seconds: float, at_once: bool = False) -> Iterator[bytes]:
    """The decoded body as it comes, or `at_once`, byte by byte where its parts have no length of their own.

    The response was asked for with stream=True. Overrun beyond the time or MAX_BODY; other errors are of requests.
    """
    decode, left = _decoder(response.headers.get("Content-Encoding", "")), MAX_BODY
    raw = response.raw
    size = 1 if at_once and not raw.chunked else PIECE
    try:
        with deadline(getattr(raw.connection, "answering", None), seconds):
            for part in raw.stream(size, decode_content=False):
                data = decode(part, left + 1)
                left -= len(data)
                if left < 0:
                    raise Overrun(f"the answer is larger than {MAX_BODY // 1024 // 1024} MB")
                yield data
    except (HTTPError, ValueError, AttributeError) as error:
        raise requests.ConnectionError(error) from error


def whole(response: Any, seconds: float) -> Any:
    """The response with its body read, within the same limits."""
    response._content = b"".join(pieces(response, seconds))  # noqa: SLF001 what requests fills in itself without stream
    response._content_consumed = True  # noqa: SLF001
    return response


def _decoder(encoding: str) -> Any:
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return lambda data, _most: data
    if name not in DECODERS:
        raise Overrun(f"the answer has the content encoding {name[:30]!r}, which was not asked for")
    decoder = zlib.decompressobj(DECODERS[name])

    def decode(data: bytes, most: int) -> bytes:
        try:
            return decoder.decompress(data, most)
        except zlib.error as error:
            raise Overrun(f"the answer is no {name}: {error}") from error

    return decode
