"""Replays recorded exchanges against the sandbox, in order, and compares what comes with what came.

Values that a server makes up (ids, times, secrets, tokens, generated client ids) are matched, not compared: the first
time such a value is met it is paired with the sandbox's, from then on the pair must hold wherever either appears.
"""
from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import requests

# Ids, and generated client ids; <secret> and the like stand for what the recordings mask.
ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<![\w-])[\w-]{43}(?![\w-])", re.ASCII
)
MASKED = re.compile(r"^<[a-z]+>$")
# A value that the server encrypted, with a key of its own.
CIPHER = re.compile(r"^[A-Za-z0-9+/]{22}==$")
# Times differ in every run.
TIMES = re.compile(
    r"^((created|updated|deployed|published|closed|expires|paused|processed|starting)At|(created|updated|last_connection)_at|lastPasswordReset|timestamp)$"
)
# Values that stand for a person or a moment of the recording, or that the recording masks.
PERSONAL = {
    "_links",
    "picture_url",
    "exp",
    "iat",
    "jti",
    "user_agent",
    "ip_address",
    "login_count",
    "lastConnectionAt",
    "secret",
    "token",
    "clientSecret",
    "client_secret",
    "registration_access_token",
    "registrationAccessToken",
}


def _parts(url: str) -> dict[str, Any]:
    """A URL with a query, as what can be compared piece by piece."""
    place, _mark, query = url.partition("?")
    return {"place": place, **dict(parse_qsl(query, keep_blank_values=True))}


@dataclass
class Replay:
    """bases: recorded base URL → the sandbox's. prefix goes before every recorded path."""

    bases: dict[str, str]
    url: str
    headers: dict[str, str]
    pairs: dict[str, str] = field(default_factory=dict)

    def send(self, exchange: dict[str, Any]) -> requests.Response:
        """The sandbox's answer to a recorded request, with its own ids in it; `headers` go before what was recorded of them."""
        body = exchange["request"]
        raw = body if isinstance(body, str) else json.dumps(self.translate(body)) if body is not None else None
        recorded = exchange.get("sent_headers", {"Accept": "application/json, text/event-stream"})
        headers = {"Content-Type": "application/json", **recorded, **self.headers}
        path = self._ids(exchange["path"])
        return requests.request(
            exchange["method"], self.url + path, data=raw, headers=headers, timeout=20, allow_redirects=False
        )

    def translate(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.translate(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.translate(item) for item in value]
        return self._ids(value) if isinstance(value, str) else value

    def _ids(self, text: str) -> str:
        return ID.sub(lambda match: self.pairs.get(match.group(), match.group()), text)

    def differences(self, exchange: dict[str, Any], response: requests.Response) -> list[str]:
        """What the sandbox answered otherwise."""
        found = []
        if response.status_code != exchange["status"]:
            found.append(f"status {response.status_code}, recorded {exchange['status']}: {response.text[:200]}")
            return found
        for name, value in exchange["headers"].items():
            if name.lower() in ("etag", "last-modified"):
                continue
            if name.lower() == "location" and "?" in value:
                self._compare(_parts(self.rebased(value)), _parts(response.headers.get(name, "")), f"header {name}", found)
                continue
            if name.lower() == "location" and ID.search(value):
                value = ID.sub(lambda match: self.pairs.get(match.group(), "<id>"), value)
                actual = response.headers.get(name, "")
                self._compare(value.rsplit("/", 1)[0], actual.rsplit("/", 1)[0], f"header {name}", found)
                continue
            self._compare(value, response.headers.get(name), f"header {name}", found)
        recorded = exchange["response"]
        actual = response.text if isinstance(recorded, str) else response.json()
        return found + self.compare(recorded, actual)

    def compare(self, recorded: Any, actual: Any) -> list[str]:
        """What differs between two bodies."""
        found: list[str] = []
        self._compare(recorded, actual, "", found)
        return found

    def _compare(self, recorded: Any, actual: Any, where: str, found: list[str]) -> None:
        if isinstance(recorded, dict) and isinstance(actual, dict):
            for key in sorted({*recorded, *actual}):
                place = f"{where}.{key}"
                if key in PERSONAL or TIMES.match(key):
                    if (key in recorded) != (key in actual):
                        found.append(f"{place} is {'missing' if key in recorded else 'unexpected'}")
                elif key not in actual:
                    found.append(f"{place} is missing, recorded {recorded[key]!r}")
                elif key not in recorded:
                    found.append(f"{place} is unexpected: {actual[key]!r}")
                else:
                    self._compare(recorded[key], actual[key], place, found)
        elif isinstance(recorded, list) and isinstance(actual, list):
            if len(recorded) != len(actual):
                found.append(f"{where} has {len(actual)} items, recorded {len(recorded)}")
            for index, pair in enumerate(zip(recorded, actual, strict=False)):
                self._compare(*pair, f"{where}[{index}]", found)
        elif isinstance(recorded, str) and isinstance(actual, str):
            within = _json_within(recorded), _json_within(actual)
            if None not in within:
                self._compare(*within, f"{where}: ", found)
            elif not self._same_text(recorded, actual):
                found.append(f"{where} is {actual!r}, recorded {recorded!r}")
        elif recorded != actual:
            found.append(f"{where} is {actual!r}, recorded {recorded!r}")

    def _same_text(self, recorded: str, actual: str) -> bool:
        return self._paired(recorded, actual) or self._paired(self.rebased(recorded), actual)

    def rebased(self, text: str) -> str:
        """A link of the recorded server as the sandbox would write it."""
        for base, ours in self.bases.items():
            text = text.replace(base, ours)
        return text

    def _paired(self, recorded: str, actual: str) -> bool:
        if MASKED.match(recorded) or (CIPHER.match(recorded) and CIPHER.match(actual)):
            return True
        theirs, ours_ids = ID.findall(recorded), ID.findall(actual)
        if len(theirs) != len(ours_ids) or ID.sub("<id>", recorded) != ID.sub("<id>", actual):
            return False
        return all(self.pairs.setdefault(a, b) == b for a, b in zip(theirs, ours_ids, strict=True))


def _json_within(text: str) -> Any:
    """The object or list that a text is, as in an event's payload and in the audit log's messages; None for other texts."""
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None
