"""What the sandbox's planes share: the clock, the state, the log of requests."""
from __future__ import annotations

import json
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parent.parent / "contract" / "recorded"


@cache
def recordings(name: str) -> list[dict[str, Any]]:
    """The exchanges of one file of recordings."""
    with open(RECORDINGS / f"{name}.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@cache
def recorded(name: str, path: str) -> Any:
    """What a real server answered to a GET whose answer never changes (plugins, licence)."""
    return next(e["response"] for e in recordings(name) if e["method"] == "GET" and e["path"] == path)


class Synced:
    """A value that a gateway follows some time after the management plane changed it."""

    def __init__(self, delay: Callable[[], float]):
        self._delay = delay
        self._events: list[tuple[float, Any]] = []
        self._gaps: list[tuple[float, float]] = []

    def push(self, value: Any, gap: float = 0.0) -> None:
        """gap: seconds in which the gateway then knows nothing, before it knows the value."""
        due = time.monotonic() + self._delay()
        if gap:
            self._gaps.append((due, due + gap))
        self._events.append((due + gap, value))

    @property
    def current(self) -> Any:
        """What the gateway knows; None before anything reached it, and in a gap."""
        now = time.monotonic()
        seen = [value for due, value in self._events if due <= now]
        return seen[-1] if seen and not any(start <= now < end for start, end in self._gaps) else None


@dataclass
class Request:
    plane: str
    method: str
    path: str
    status: int

    @property
    def is_write(self) -> bool:
        """Whether it may have changed something on a management plane; logging in does not."""
        return self.method != "GET" and not self.path.endswith(("/login", "/auth/token", "/_search", "/paths"))


@dataclass
class World:
    """Everything that the servers know. Versions: APIM 4.10 or 4.12, AM 4.10, 4.11 or 4.12. sync_delay in seconds."""

    apim_version: str = "4.10"
    am_version: str = "4.10"
    sync_delay: float = 0.0
    urls: dict[str, str] = field(default_factory=dict)  # plane → base URL

    def __post_init__(self) -> None:
        self.on_answer: Callable[[Request], None] | None = None  # called when an answer is ready, before it is sent
        self._last_ms = 0
        self.reset()

    def reset(self) -> None:
        """A fresh installation."""
        self.log: list[Request] = []
        self.apis: dict[str, Any] = {}
        self.applications: dict[str, dict[str, Any]] = {}
        self.subscriptions: dict[str, Any] = {}
        self.domains: dict[str, Any] = {}
        self.tokens: dict[str, str] = {}  # management token → plane
        self.admins = {"apim": ("admin", "admin"), "am": ("admin", "adminadmin")}
        self.admin_ids = {"apim": new_id(), "am": new_id()}
        self.token_names: set[tuple[str, str]] = set()
        self.upstream_secured = False
        self.audits_forbidden = False  # whether AM's user may not read the audit log
        self.domain_reload = 0.3  # seconds of 404 by AM's gateway, from 4.11 on, after any change of a domain (0.2–0.5 seen)
        self.settings_hidden = False  # whether AM's user may not read a domain's settings
        self.plugins_removed: set[str] = set()  # ids of plugins that this APIM does not have
        self.enterprise = False  # whether it has the plugin mcp-proxy
        self.latency: dict[str, float] = {}  # plane → how long a request to it is on the way, in seconds

    def synced(self) -> Synced:
        return Synced(lambda: self.sync_delay)

    def now_ms(self) -> int:
        """Milliseconds since 1970, never twice the same."""
        self._last_ms = max(self._last_ms + 1, int(time.time() * 1000))
        return self._last_ms

    def new_token(self, plane: str) -> str:
        token = f"{plane}-{secrets.token_urlsafe(32)}"
        self.tokens[token] = plane
        return token

    def writes(self) -> list[Request]:
        """The requests so far that may have changed something on a management plane."""
        return [request for request in self.log if request.is_write and request.plane in ("apim", "am")]


def new_id() -> str:
    return str(uuid.uuid4())


def iso(milliseconds: int) -> str:
    """APIM's way to write a time."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}".rstrip("0").ljust(1, "0") + "Z"
