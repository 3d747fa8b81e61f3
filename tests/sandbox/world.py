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
# The OAuth2 policy that each version of APIM comes with: 4.10.7, 4.11.2 and 4.12.
OAUTH2_POLICIES = {"4.10": "5.1.4", "4.11": "5.2.1", "4.12": "5.3.1"}


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

    def push(self, value: Any) -> None:
        self._events.append((time.monotonic() + self._delay(), value))

    @property
    def current(self) -> Any:
        """What the gateway knows; None before anything reached it."""
        seen = [value for due, value in self._events if due <= time.monotonic()]
        return seen[-1] if seen else None


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
    """Everything that the servers know. Versions, of APIM and of AM: 4.10, 4.11 or 4.12. sync_delay in seconds."""

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
        self.settings_hidden = False  # whether AM's user may not read a domain's settings
        self.plugins_removed: set[str] = set()  # ids of plugins that this APIM does not have
        self.enterprise = False  # whether it has the plugin mcp-proxy
        self.validate_subscription = True  # what the gateway's gravitee.yml says as api.validateSubscription
        self._oauth2_policy: str | None = None
        self._introspection_window: float | None = None

    @property
    def oauth2_policy(self) -> str:
        """The version of the OAuth2 policy, for both of APIM's planes; what the version of APIM comes with, unless set."""
        return self._oauth2_policy or OAUTH2_POLICIES[self.apim_version]

    @oauth2_policy.setter
    def oauth2_policy(self, version: str) -> None:
        if version not in OAUTH2_POLICIES.values():
            raise ValueError(f"no OAuth2 policy {version} is known")
        self._oauth2_policy = version

    @property
    def introspection_window(self) -> float:
        """Seconds in which AM's introspection names a token's aud as its client_id: 10 from AM 4.10.2 on, unless set.

        AM's setting is handlers.oauth2.introspect.offlineVerificationTimerSeconds.
        """
        if self._introspection_window is not None:
            return self._introspection_window
        return 0.0 if self.am_version == "4.10" else 10.0

    @introspection_window.setter
    def introspection_window(self, seconds: float) -> None:
        self._introspection_window = seconds

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
