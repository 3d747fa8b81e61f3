"""What may answer at an MCP server's URL, and what the check may say of it: data. {base} is the URL of the server that answers.

`gateway` is the verdict where the URL is one of Gravitee's gateway, `direct` where it is the MCP server itself.
"""
from __future__ import annotations

import gzip
import itertools
import json
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Body = bytes | Callable[[], Iterator[bytes]]
Told = tuple[int, dict[str, str], Body]


def says(status: int, body: Any = b"", kind: str = "", **headers: str) -> Told:
    """An answer; an object is sent as JSON. Names of headers with _ for -."""
    known = isinstance(body, bytes) or callable(body)
    kind = kind or ("text/plain" if known else "application/json")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"Content-Type": kind, **named}, body if known else json.dumps(body).encode()


STREAM = "text/event-stream"


def raw(body: Body) -> Told:
    return 0, {}, body


def stream(body: Body) -> Told:
    return says(200, body, STREAM)


def dripping(start: bytes = b"", piece: bytes = b" ") -> Callable[[], Iterator[bytes]]:
    def parts() -> Iterator[bytes]:
        yield start
        while True:
            time.sleep(0.05)
            yield piece

    return parts


def own(status: int, message: str, **headers: str) -> Told:
    """In the words of APIM's gateway (recorded)."""
    return says(status, {"message": message, "http_status_code": status}, **headers)


MESSAGE = {
    "jsonrpc": "2.0",
    "id": 1,
    "result": {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "weather", "version": "1"}},
}
TEXT = json.dumps(MESSAGE).encode()
HALF, OTHER_HALF = TEXT[:30], TEXT[30:]
MCP = says(200, MESSAGE)
HTML = b"<html><body>Welcome</body></html>"
ITS_OWN = "upstream_secured"
GONE = says(404, b"No context-path matches the request URI.")
ENDPOINT = b"event: endpoint\n"
BOMB = gzip.compress(b" " * 32 * 1024 * 1024)
CHALLENGE = 'Bearer resource_metadata="{base}/mcp/.well-known/oauth-protected-resource"'
REFUSED = own(401, "Unauthorized", WWW_Authenticate=CHALLENGE)
WELL_KNOWN = "/.well-known/oauth-protected-resource/mcp"
ISSUER = "{base}/mcp-demo/oidc"
DOCUMENT = {"resource": "{base}/mcp", "authorization_servers": [ISSUER], "scopes_supported": ["openid"]}
SERVER = {"issuer": ISSUER, "code_challenge_methods_supported": ["S256"], "registration_endpoint": "{base}/register"}
SERVER_PLACE = "/.well-known/oauth-authorization-server/mcp-demo/oidc"
DOCUMENTS = {WELL_KNOWN: says(200, DOCUMENT), SERVER_PLACE: says(200, SERVER)}


def error(code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}


def discovered(versions: Any) -> Told:
    return says(200, {"jsonrpc": "2.0", "id": 1, "result": {"supportedVersions": versions, "serverInfo": {"name": "weather"}}})


def unsupported(*versions: str) -> Told:
    refusal = {"code": -32022, "message": "Unsupported protocol version", "data": {"supported": list(versions)}}
    return says(400, {"jsonrpc": "2.0", "id": 1, "error": refusal})


DISCOVERED = discovered(["2026-07-28", "2027-01-01"])
NOT_TAKEN = says(400, error(-32600, "Bad Request"))
LATER = {**MESSAGE, "result": {**MESSAGE["result"], "protocolVersion": "2026-07-28"}}


def documents(document: dict[str, Any] | None = None, server: dict[str, Any] | None = None) -> dict[str, Told]:
    return {
        WELL_KNOWN: says(200, {**DOCUMENT, **(document or {})}),
        SERVER_PLACE: says(200, {**SERVER, **(server or {})}),
    }


@dataclass(frozen=True)
class Row:
    """post: the answers to calls, one after the other, the last again and again. get: the answers by path, else 404.

    discover: the answer to server/discover, where post is that to initialize.
    """

    name: str
    post: Told | list[Told]
    gateway: str
    direct: str
    get: dict[str, Told] = field(default_factory=dict)
    url: str = "{base}/mcp"
    says: str = ""  # in the summary or a step, by the gateway
    discover: Told | None = None


ROWS = [
    # An MCP server without any authentication
    Row("JSON", MCP, "open", "open"),
    Row("an event stream", stream(b"data: " + TEXT + b"\n\n"), "open", "open"),
    Row("no blank after data:", stream(b"data:" + TEXT + b"\n\n"), "open", "open"),
    Row("an event over several data lines", stream(b"data: {\ndata: " + TEXT[1:-1] + b"\ndata: }\n\n"), "open", "open"),
    Row("lines that end with CR LF", stream(b"event: message\r\ndata: " + TEXT + b"\r\n\r\n"), "open", "open"),
    Row("lines that end with CR", stream(b"event: message\rdata: " + TEXT + b"\r\r"), "open", "open"),
    Row("comments before the event", stream(b": ping\n\n: ping\n\ndata: " + TEXT + b"\n\n"), "open", "open"),
    Row("other messages before it", stream(b'data: {"method": "x"}\n\ndata: no JSON\n\ndata: ' + TEXT + b"\n\n"), "open", "open"),
    Row("a stream without an empty line at its end", stream(b"data: " + TEXT), "open", "open"),
    Row("a stream that goes on after the answer", stream(dripping(b"data: " + TEXT + b"\n\n", b": ping\n\n")), "open", "open"),
    Row("serverInfo null", says(200, {**MESSAGE, "result": {"serverInfo": None}}), "open", "open"),
    Row("serverInfo a list", says(200, {**MESSAGE, "result": {"serverInfo": ["x"]}}), "open", "open"),
    Row("result null", says(200, {**MESSAGE, "result": None}), "open", "open"),
    Row("a name that is no text", says(200, {**MESSAGE, "result": {"serverInfo": {"name": {}}}}), "open", "open"),
    Row("compressed", says(200, gzip.compress(TEXT), "application/json", Content_Encoding="gzip"), "open", "open"),
    Row("deflated", says(200, zlib.compress(TEXT), "application/json", Content_Encoding="deflate"), "open", "open"),
    Row("method not found", says(200, error(-32601, "Method not found")), "open", "open"),
    Row("unsupported version", says(400, error(-32600, "Bad Request: Unsupported protocol version")), "open", "open"),
    Row("session not found", says(404, error(-32600, "Session not found")), "open", "open"),
    Row("not acceptable", says(406, error(-32600, "Not Acceptable")), "open", "open"),
    Row("internal error in JSON-RPC", says(500, error(-32603, "Internal error")), "open", "open"),
    Row("the old transport: 405", says(405, b"Method Not Allowed"), "open", "open", {"/mcp": stream(dripping(ENDPOINT))}),
    Row("the old transport: 404", says(404, b"Not Found"), "open", "open", {"/mcp": stream(b"event: endpoint\n\n")}),
    # The revision of 2026-07-28, which begins with server/discover
    Row("2026-07-28 alone", NOT_TAKEN, "open", "open", discover=DISCOVERED, says="server/discover"),
    Row("both eras", MCP, "open", "open", discover=DISCOVERED, says="server/discover"),
    Row("up to 2025-11-25 alone", MCP, "open", "open", discover=NOT_TAKEN, says="initialize"),
    Row("up to 2025-11-25, method not found", MCP, "open", "open", discover=says(200, error(-32601, "Method not found"))),
    Row("up to 2025-11-25, 404 for the rest", MCP, "open", "open", discover=says(404, b"Not Found")),
    Row("up to 2025-11-25, 500 for the rest", MCP, "open", "open", discover=says(500, b"Internal Server Error")),
    Row("no answer to what it does not know", MCP, "open", "open", discover=stream(dripping(b"", b": keepalive\n\n"))),
    Row("initialize answered with 2026-07-28", says(200, LATER), "open", "open", discover=says(404, b"Not Found")),
    Row("another revision alone", NOT_TAKEN, "open", "open", discover=unsupported("2027-01-01"), says="Unsupported"),
    Row("an unsupported version, 2025-11-25 too", MCP, "open", "open", discover=unsupported("2027-01-01", "2025-11-25")),
    Row("an unsupported version without a list", NOT_TAKEN, "open", "open", discover=says(400, error(-32022, "Unsupported"))),
    Row("versions that are no list", NOT_TAKEN, "open", "open", discover=discovered(7)),
    Row("versions that are no texts", NOT_TAKEN, "open", "open", discover=discovered([7, None, {}])),
    Row("no versions", NOT_TAKEN, "open", "open", discover=discovered(None)),
    Row("discover refused, initialize unknown", NOT_TAKEN, ITS_OWN, ITS_OWN, discover=says(401, WWW_Authenticate="Bearer")),
    Row("initialize refused, discover unknown", says(401, WWW_Authenticate="Bearer"), "open", ITS_OWN, discover=NOT_TAKEN),
    Row("discover let through, initialize not", REFUSED, "open", ITS_OWN, DOCUMENTS, discover=NOT_TAKEN),
    Row("discover let through to nobody", REFUSED, "open", "unreachable", DOCUMENTS, discover=own(502, "Bad Gateway")),
    # No refusal, no MCP message
    Row("a web page", says(200, HTML, "text/html"), "open", "unreachable", says="no MCP message: is the URL right?"),
    Row("other JSON", says(200, {"status": "UP"}), "open", "unreachable"),
    Row("JSON nested too deep", says(200, b"[" * 100_000, "application/json"), "open", "unreachable"),
    Row("202 and no body", says(202), "open", "unreachable"),
    Row("204", says(204), "open", "unreachable"),
    Row("405 and no event stream", says(405, b"Method Not Allowed"), "open", "unreachable"),
    Row("405 of a web server", says(405, HTML, "text/html"), "unknown", "unreachable"),
    Row("400 in plain text", says(400, b"Bad Request"), "open", "unreachable"),
    Row("415", says(415, b"Unsupported Media Type"), "open", "unreachable"),
    Row("418", says(418, {"mine": True}), "unknown", "unreachable"),
    Row("429", says(429, b"slow down"), "unknown", "unreachable"),
    Row("500 in plain text", says(500, b"Internal Server Error"), "unknown", "unreachable"),
    Row("404 of no gateway", says(404, b"Not Found"), "unknown", "unreachable"),
    Row("404 of a web server", says(404, HTML, "text/html"), "unknown", "unreachable"),
    Row("an empty event stream", stream(b""), "open", "unknown"),
    # Answers without end or beyond measure
    Row("comments that never end", stream(dripping(b"", b": keepalive\n\n")), "open", "unknown"),
    Row("an event that never ends", stream(dripping(b"data: ", b"x")), "open", "unknown"),
    Row("a dripping body", says(200, dripping(HALF), "application/json"), "open", "unknown", says="did not end within"),
    Row("a dripping body with a length", says(200, dripping(HALF), Content_Length="5000"), "open", "unknown"),
    Row("dripping headers", raw(dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x")), "unknown", "unknown", says="got no answer in time"),
    Row("a dripping status", raw(dripping(b"HTTP/1.1", b" ")), "unknown", "unknown"),
    Row("100 Continue without end", raw(dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n")), "unknown", "unknown"),
    Row("a dripping refusal", says(401, dripping(b'{"message": "Unauthorized"')), "unknown", ITS_OWN),
    Row("a gzip bomb", says(200, BOMB, Content_Encoding="gzip"), "open", "unknown", says="larger than 4 MB"),
    Row("a gzip bomb as a refusal", says(401, BOMB, Content_Encoding="gzip"), "unknown", ITS_OWN),
    Row("a gzip bomb as an event stream", says(200, BOMB, STREAM, Content_Encoding="gzip"), "open", "unknown"),
    Row("5 MB", says(200, b" " * 5 * 1024 * 1024), "open", "unknown", says="larger than 4 MB"),
    Row("no gzip", says(200, TEXT, Content_Encoding="gzip"), "open", "unknown", says="is no gzip"),
    Row("an encoding that nobody asked for", says(200, TEXT, Content_Encoding="br"), "open", "unknown", says="encoding 'br'"),
    Row("a body that breaks off", says(200, TEXT, Content_Length="5000"), "open", "unknown"),
    Row("a refusal that breaks off", says(401, b"{", Content_Length="5000"), "unknown", ITS_OWN),
    # No answer
    Row("nobody listens", MCP, "unreachable", "unreachable", url="http://127.0.0.1:9/mcp"),
    Row("hung up", raw(b""), "unknown", "unknown"),
    Row("no HTTP", raw(b"220 mail.example ESMTP\r\n"), "unknown", "unknown"),
    Row("no TLS", MCP, "unknown", "unknown", url="{tls}/mcp"),
    # The gateway's own words
    Row("refused, documents", REFUSED, "secured", ITS_OWN, DOCUMENTS, says="3 times on new connections"),
    Row("a bare refusal, documents", own(401, "Unauthorized"), "secured", ITS_OWN, DOCUMENTS),
    Row("403, documents", own(403, "insufficient_scope"), "secured", ITS_OWN, DOCUMENTS),
    Row("refused, no documents", REFUSED, "misconfigured", ITS_OWN),
    Row("a slash at the end", REFUSED, "secured", ITS_OWN, DOCUMENTS, url="{base}/mcp/"),
    Row("capitals in the host", REFUSED, "secured", ITS_OWN, documents({"resource": "{local}/mcp"}), url="{LOCAL}/mcp"),
    Row("a resource with a slash", REFUSED, "secured", ITS_OWN, documents({"resource": "{base}/mcp/"})),
    Row("another resource", REFUSED, "misconfigured", ITS_OWN, documents({"resource": "http://inner/mcp"})),
    Row("a neighbour's resource", REFUSED, "misconfigured", ITS_OWN, documents({"resource": "{base}/mcp2"})),
    Row("a resource that is no text", REFUSED, "misconfigured", ITS_OWN, documents({"resource": ["{base}/mcp"]})),
    Row("no server named", REFUSED, "misconfigured", ITS_OWN, documents({"authorization_servers": []})),
    Row("a server as text", REFUSED, "misconfigured", ITS_OWN, documents({"authorization_servers": ISSUER})),
    Row("a server that is no URL", REFUSED, "misconfigured", ITS_OWN, documents({"authorization_servers": ["http://["]})),
    Row("no metadata of the server", REFUSED, "misconfigured", ITS_OWN, {WELL_KNOWN: says(200, DOCUMENT)}),
    Row("no PKCE", REFUSED, "misconfigured", ITS_OWN, documents(None, {"code_challenge_methods_supported": 5})),
    Row("another issuer", REFUSED, "misconfigured", ITS_OWN, documents(None, {"issuer": "http://other"})),
    Row("scopes that are no list", REFUSED, "secured", ITS_OWN, documents({"scopes_supported": 7})),
    Row("documents without end", REFUSED, "misconfigured", ITS_OWN, {WELL_KNOWN: says(200, dripping(b"{"))}),
    Row("no API", GONE, "unreachable", "unreachable", says="is the API deployed and started"),
    Row("keyless, the MCP server is down", own(502, "Bad Gateway"), "open", "unreachable", says="is the MCP server up?"),
    Row("keyless, down, no body", says(502), "open", "unreachable"),
    Row("keyless, the MCP server is slow", own(504, "Request timeout"), "open", "unreachable"),
    Row("502 of a proxy in front", says(502, HTML, "text/html"), "unknown", "unreachable"),
    Row("503", own(503, "Temporarily Unavailable"), "unknown", "unreachable"),
    Row("500", own(500, "Internal Server Error"), "unknown", "unreachable"),
    # Several gateways behind one address
    Row("the last of three has not followed", [REFUSED, REFUSED, MCP], "open", ITS_OWN, DOCUMENTS),
    Row("one of three lets calls through to nobody", [REFUSED, own(502, "Bad Gateway"), REFUSED], "open", ITS_OWN, DOCUMENTS),
    Row("one of three has no API", [REFUSED, GONE, REFUSED], "unknown", ITS_OWN, DOCUMENTS, says="the answers differ"),
    Row("the first has no API, the second is open", [GONE, MCP], "open", "unreachable"),
    # An MCP server behind a keyless plan that asks for something itself
    Row("its own challenge", says(401, WWW_Authenticate='Bearer realm="upstream"'), ITS_OWN, ITS_OWN),
    Row("with metadata", says(401, WWW_Authenticate=CHALLENGE), ITS_OWN, ITS_OWN, DOCUMENTS),
    Row("with metadata, in plain text", says(401, b"Unauthorized", WWW_Authenticate=CHALLENGE), ITS_OWN, ITS_OWN, DOCUMENTS),
    Row("Unauthorized in plain text", says(401, b"Unauthorized\n"), ITS_OWN, ITS_OWN, DOCUMENTS),
    Row("Basic", says(401, WWW_Authenticate='Basic realm="x"'), ITS_OWN, ITS_OWN),
    Row("401 in JSON-RPC", says(401, error(-32001, "Unauthorized")), ITS_OWN, ITS_OWN),
    Row("403 with a challenge", says(403, WWW_Authenticate='Bearer error="x"'), ITS_OWN, ITS_OWN),
    Row("403 in plain text", says(403, b"Forbidden"), "unknown", ITS_OWN),
    Row("403 of a firewall", says(403, HTML, "text/html"), "unknown", ITS_OWN),
    Row("the gateway's words with another status", says(401, {"message": "x", "http_status_code": 200}), ITS_OWN, ITS_OWN),
    Row("the gateway's words and more", says(401, {"message": "x", "http_status_code": 401, "id": 1}), ITS_OWN, ITS_OWN),
    Row("a Host check of the Python SDK", says(421, b"Invalid Host header"), "open", "misconfigured", says="refuses the Host"),
    Row("a Host check of the TypeScript SDK", says(403, error(-32000, "Invalid Host: gw")), "open", "misconfigured"),
    Row("an Origin check", says(403, b"Invalid Origin header"), "open", "misconfigured"),
    Row("407", says(407, b"Proxy Authentication Required"), "unknown", "unreachable"),
    # Redirects
    Row("a slash added", [says(307, Location="{base}/mcp/"), MCP], "open", "open", says="call {base}/mcp/ instead"),
    Row("a slash added, secured", [says(308, Location="/mcp/"), REFUSED], "secured", ITS_OWN, DOCUMENTS),
    Row("to the inner URL, secured without the slash", [says(307, Location="http://inner/mcp"), REFUSED], "secured",
        ITS_OWN, DOCUMENTS, url="{base}/mcp/"),
    Row("to a login page", says(302, Location="https://login.example/"), "unknown", "misconfigured"),
    Row("to another path", says(307, Location="{base}/other"), "unknown", "misconfigured"),
    Row("round and round", says(307, Location="{base}/mcp/"), "unknown", "misconfigured"),
    Row("to nowhere", says(308), "unknown", "misconfigured"),
]


def server(row: Row) -> Callable[[str, str, bytes], Told]:
    """What answers as the row says; the caller fills in {base}."""
    answers = row.post if isinstance(row.post, list) else [row.post]
    turns = itertools.chain(answers, itertools.repeat(answers[-1]))

    def answer(method: str, path: str, body: bytes) -> Told:
        if method != "POST":
            return row.get.get(path, GONE)
        return row.discover if row.discover and b"server/discover" in body else next(turns)

    return answer
