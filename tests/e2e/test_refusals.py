"""Each refusal in the words of the official SDKs: of tokens that are not for this server, and of calls of tools.

The SDKs get a token as it is, in a header, and no OAuth, with which they would log in anew and say nothing of the token.
"""
from __future__ import annotations

import json
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

from tests.clients import subscribe
from tests.contract.estate import PRM, Client
from tests.e2e.test_sdks import SDKS, VERSIONS, at_once, printed, program
from tests.integration.test_fleet import record
from tests.runners import Modules, Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

TOOLS = [{"key": "get_weather"}, {"key": "slow_forecast", "scopes": ["weather:read"]}]
HOSTS = {
    name: {"secure_mcp_name": name, "secure_mcp_context_path": f"/{name}-mcp", **given}
    for name, given in {
        "weather": {"secure_mcp_tools": TOOLS},
        "reports": {
            "secure_mcp_tools": TOOLS[:1],
            "secure_mcp_enforce_tools": "unlisted",
            "secure_mcp_required_scopes": ["openid", "reports:read"],
        },
        "adrift": {},
    }.items()
}
CITY = {"tool": "get_weather", "arguments": {"city": "Paris"}}
SLOW = {"tool": "slow_forecast", "arguments": {"seconds": 0}}
BATCH = {**CITY, "batch": True}
ALLOWED, NESTED = ({**CITY, "arguments": {"city": "Paris", "more": [[[[[]]]]] * count}} for count in (90, 400))
SUNNY, MORE = ({"tools": ["get_weather", "slow_forecast"], "text": text} for text in ("It is sunny in Paris", "More of the same"))


class Refusal(NamedTuple):
    """asked: the scopes that the challenge asks for; FIRST is the challenge of who has no good token at all.

    code: of JSON-RPC, where the role says how to refuse; None where the body is the gateway's own.
    """

    status: int
    message: str
    asked: str | None = None
    code: int | None = -32600


class Row(NamedTuple):
    """A call with a token of some kind, and the tool's answer or the refusal."""

    server: str
    token: str
    call: dict[str, Any]
    outcome: dict[str, Any] | Refusal


FIRST = "openid"
LOG_IN = Refusal(401, "Unauthorized", FIRST, None)
LACKS = Refusal(403, "Insufficient scope", "openid reports:read")
LACKS_TOOLS = Refusal(403, "Insufficient scope: weather:read", "weather:read")
ROWS = {
    "good": Row("weather", "good", CITY, SUNNY),
    "good, with the tool's scope": Row("weather", "good", SLOW, MORE),
    "good, with many lists": Row("weather", "good", ALLOWED, SUNNY),
    "good, of another server": Row("reports", "of another server", CITY, SUNNY),
    "asked for without resource": Row("weather", "without resource", CITY, LOG_IN),
    "of another server": Row("weather", "of another server", CITY, LOG_IN),
    "without a user": Row("weather", "without a user", CITY, LOG_IN),
    "expired": Row("weather", "expired", CITY, LOG_IN),
    "of a client without a subscription": Row("weather", "of a stranger", CITY, LOG_IN),
    "without the server's scope": Row("reports", "without its scope", CITY, LACKS),
    "without the tool's scope": Row("weather", "without the tool's scope", SLOW, LACKS_TOOLS),
    "a tool that is not listed": Row("reports", "of another server", SLOW, Refusal(403, "Unknown tool", code=-32602)),
    "a batch": Row("weather", "good", BATCH, Refusal(400, "Send one JSON object: batches are not allowed.")),
    "too many lists": Row("weather", "good", NESTED, Refusal(400, "Send no more than 380 lists and objects within others.")),
    "AM does not answer": Row("adrift", "adrift", CITY, Refusal(503, "Temporarily Unavailable", code=None)),
}
# The same tokens, once the reason is gone.
AFTERWARDS = {
    "of a client with a subscription": Row("weather", "of a stranger", CITY, SUNNY),
    "AM answers": Row("adrift", "adrift", CITY, SUNNY),
}


def url(world: World, server: str) -> str:
    return f"{world.urls['gateway']}/{server}-mcp"


def kinds(world: World, domain: Domain, client: Client, stranger: Client) -> dict[str, str]:
    """A token of each kind. The expired one was good for a second."""
    weather, reports = url(world, "weather"), url(world, "reports")
    oauth = domain.client(client.id)["settings"]["oauth"]
    usual = oauth["accessTokenValiditySeconds"]
    oauth["accessTokenValiditySeconds"] = 1
    expired = client.token(weather)
    oauth["accessTokenValiditySeconds"] = usual
    time.sleep(1)
    return {
        "good": client.token(weather, "openid weather:read"),
        "without resource": client.token(None),
        "of another server": client.token(reports, "openid reports:read"),
        "without a user": client.own_token(weather),
        "expired": expired,
        "of a stranger": stranger.token(weather),
        "without its scope": client.token(reports),
        "without the tool's scope": client.token(weather),
        "adrift": client.token(url(world, "adrift")),
    }


def challenge(world: World, server: str, asked: str | None) -> str | None:
    """That of the gateway; from 4.11 on the policy has its own words for who has no good token."""
    early = world.apim_version == "4.10"
    place = f"/{server}-mcp{PRM}" if early else f"{PRM}/{server}-mcp"
    metadata = f'resource_metadata="{world.urls["gateway"]}{place}"'
    if asked == FIRST:
        return f'Bearer {metadata}, scope="openid"' if early else 'Bearer scope="openid"'
    return asked and f'Bearer error="insufficient_scope", scope="{asked}", {metadata}'


def printed_by(sdk: str, row: Row, world: World) -> dict[str, Any]:
    """By the program with this SDK: the tool's answer, or the refusal as this SDK says it and as it came by HTTP."""
    if not isinstance(row.outcome, Refusal):
        return row.outcome
    status, message, asked, code = row.outcome
    got = [status, challenge(world, row.server, asked)]
    if sdk == "python v2":  # says neither status nor challenge, and of what is no JSON-RPC that it is an internal error
        error = ["MCPError", message, code] if code else ["MCPError", "Server returned an error response", -32603]
        return {"error": [*error, None], "got": got}
    if sdk == "python v1":  # its error has the whole answer
        words = f"{'Server' if status == 503 else 'Client'} error '{status} {HTTPStatus(status).phrase}'"
        more = f"For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/{status}"
        return {"error": ["HTTPStatusError", f"{words} for url '{url(world, row.server)}'\n{more}", *got], "got": got}
    rpc = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
    body = json.dumps(rpc if code else {"message": message, "http_status_code": status}, separators=(",", ":"))  # no challenge
    said = f"Streamable HTTP error: Error POSTing to endpoint: {body}"
    return {"error": ["StreamableHTTPError", said, status, None], "got": got}


@VERSIONS
def test_in_the_words_of_each_sdk(
    playbooks: Playbooks, modules: Modules, world: World, domain: Domain, tmp_path: Path, apim: str, am: str
) -> None:
    """A batch is sent by TypeScript's SDK alone: those of Python have no message that is one."""
    world.apim_version, world.am_version, world.introspection_window = apim, am, 0
    done = playbooks.run(hosts=HOSTS)
    assert done.code == 0, done.output
    grants = ["client_credentials", "authorization_code"]
    named = {"scope": "openid weather:read reports:read", "token_endpoint_auth_method": "client_secret_post"}
    client, stranger = Client(world, domain, grant_types=grants, **named), Client(world, domain)
    for server in HOSTS:
        subscribe(world, client.id, record(world, f"/{server}-mcp/").id)
    tokens = kinds(world, domain, client, stranger)

    def move(server_url: str) -> None:
        """Where the gateway asks AM about tokens for one of the servers."""
        modules.run("am_resource", context_path="/adrift-mcp", server_url=server_url)
        modules.run("gravitee_deployment", context_path="/adrift-mcp")

    def check(rows: dict[str, Row]) -> None:
        sent = {sdk: {name: row for name, row in rows.items() if row.call is not BATCH or sdk == "typescript"} for sdk in SDKS}

        def told(sdk: str) -> dict[str, Any]:
            calls = [{"url": url(world, row.server), "token": tokens[row.token], **row.call} for row in sent[sdk].values()]
            (tmp_path / f"{sdk}.json").write_text(json.dumps(calls))
            return dict(zip(sent[sdk], printed([*program(sdk), tmp_path / f"{sdk}.json"]), strict=True))

        expected = {sdk: {name: printed_by(sdk, row, world) for name, row in sent[sdk].items()} for sdk in SDKS}
        assert at_once(told) == expected

    move("http://127.0.0.1:9")
    check(ROWS)
    subscribe(world, stranger.id, record(world, "/weather-mcp/").id)
    move(world.urls["am_gateway"])
    check(AFTERWARDS)
