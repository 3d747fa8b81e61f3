"""How modules reach the servers, and what they say when they don't."""
from __future__ import annotations

import pytest

from tests.runners import ModuleFailed, Modules, connection
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World
from tests.serving import serving

EMPTY = b'{"data": [], "pagination": {}}'
JSON = {"Content-Type": "application/json"}


def apim(base: str, **given: object) -> dict[str, object]:
    return {"apim_url": base, "apim_username": "u", "apim_password": "pass-word", "connect": False, **given}


def test_the_login_is_exchanged_once_and_no_cookie_kept(modules: Modules, world: World) -> None:
    """With the login's cookies every write would meet the CSRF check, with Basic each request the hashing."""
    modules.run("gravitee_api", context_path="/w", name="W", target="http://w/mcp", labels=["a"])
    assert [request.path for request in world.log if request.path.endswith("/login")] == [
        "/management/organizations/DEFAULT/user/login"
    ]
    assert {request.status for request in world.writes()} == {200, 201}


def test_tokens_instead_of_passwords(modules: Modules, world: World, domain: Domain) -> None:
    tokens = {"apim_token": world.new_token("apim"), "am_token": world.new_token("am")}
    urls = {"apim_url": world.urls["apim"], "am_url": f"{world.urls['am']}/management/"}
    assert modules.run("gravitee_api_info", connect=False, **urls, **tokens)["apis"] == []
    assert modules.run("am_mcp_server_info", connect=False, domain="mcp-demo", **urls, **tokens)["mcp_servers"] == []
    assert not [request for request in world.log if request.path.endswith("/auth/token")]


def test_the_environment_fills_in(modules: Modules, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in connection(world).items():
        monkeypatch.setenv(f"GRAVITEE_{name.upper()}", value)
    assert modules.run("gravitee_api_info", connect=False)["apis"] == []
    monkeypatch.setenv("GRAVITEE_ENVIRONMENT", "nope")
    with pytest.raises(ModuleFailed, match="answered 400: Invalid organization or environment"):
        modules.run("gravitee_api_info", connect=False)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "apim_url is missing: give it, or set GRAVITEE_APIM_URL."),
        ({"apim_url": "apim:8083"}, "apim_url is no http(s) URL: 'apim:8083'"),
        ({"apim_url": "http://apim:8083"}, "apim_token is missing, and so is apim_username with apim_password"),
        ({"apim_url": "http://apim:8083", "apim_username": "u"}, "or GRAVITEE_APIM_USERNAME and GRAVITEE_APIM_PASSWORD"),
    ],
)
def test_what_is_missing_is_named(modules: Modules, given: dict, sentence: str) -> None:
    with pytest.raises(ModuleFailed) as failure:
        modules.run("gravitee_api_info", connect=False, **given)
    assert sentence in str(failure.value)


def test_refused_credentials_are_not_repeated_to_the_user(modules: Modules, world: World, domain: Domain) -> None:
    wrong = {"apim_password": "wrong-secret", "am_password": "wrong-secret"}
    for name, given in (("gravitee_api_info", {}), ("am_mcp_server_info", {"domain": "mcp-demo"})):
        with pytest.raises(ModuleFailed, match="refused the credentials: check") as failure:
            modules.run(name, **wrong, **given)
        assert "wrong-secret" not in str(failure.value.result | {"invocation": None})
        assert failure.value.result["status"] == 401


def test_a_server_that_is_not_there(modules: Modules) -> None:
    with pytest.raises(ModuleFailed, match="Connection refused. Is the server up, and the URL right?"):
        modules.run("gravitee_api_info", **apim("http://127.0.0.1:9", retries=0))


def test_a_server_that_is_another_one(modules: Modules) -> None:
    with serving(lambda *_request: (200, {"Content-Type": "text/html"}, b"<html>welcome</html>")) as base:
        with pytest.raises(ModuleFailed, match="no token: is apim_url the APIM management API?"):
            modules.run("gravitee_api_info", **apim(base))
        with pytest.raises(ModuleFailed, match="no token: is am_url the AM management API?"):
            modules.run("am_mcp_server_info", connect=False, domain="d", am_url=base, am_username="u", am_password="p")


def test_a_redirect_is_told_not_followed(modules: Modules) -> None:
    with serving(lambda *_request: (302, {"Location": "https://elsewhere/"}, b"")) as base:
        with pytest.raises(ModuleFailed, match="a redirect to https://elsewhere/: is the URL right?"):
            modules.run("gravitee_api_info", **apim(base))


def test_reads_are_repeated_when_the_server_is_busy(modules: Modules) -> None:
    seen: list[str] = []

    def busy_twice(method: str, path: str, _body: bytes) -> tuple[int, dict[str, str], bytes]:
        seen.append(method)
        if method == "POST":
            return 200, JSON, b'{"token": "t"}'
        return (503, {"Retry-After": "0"}, b"") if seen.count("GET") < 3 else (200, JSON, EMPTY)

    with serving(busy_twice) as base:
        assert modules.run("gravitee_api_info", **apim(base))["apis"] == []
    assert seen == ["POST", "GET", "GET", "GET"]


def test_writes_are_not_repeated(modules: Modules) -> None:
    seen: list[str] = []

    def busy(method: str, path: str, _body: bytes) -> tuple[int, dict[str, str], bytes]:
        seen.append(f"{method} {path.rsplit('/', 1)[1].partition('?')[0]}")
        if path.endswith("/login"):
            return 200, JSON, b'{"token": "t"}'
        return (200, JSON, EMPTY) if method == "GET" else (503, {}, b"")

    with serving(busy) as base, pytest.raises(ModuleFailed, match="POST .*/apis answered 503: no message"):
        modules.run("gravitee_api", **apim(base), context_path="/w", name="W", target="http://w/mcp")
    assert seen == ["POST login", "GET apis", "POST apis"]


def test_no_answer_in_time(modules: Modules) -> None:
    def slow(*_request: object) -> tuple[int, dict[str, str], bytes]:
        import time

        time.sleep(1.5)
        return 200, {}, b""

    with serving(slow) as base, pytest.raises(ModuleFailed, match="got no answer in time: raise timeout"):
        modules.run("gravitee_api_info", **apim(base, timeout=0.3, retries=0))


def test_a_secret_in_a_servers_message_is_masked(modules: Modules) -> None:
    with serving(lambda *_request: (400, JSON, b'{"message": "pass-word is wrong"}')) as base:
        with pytest.raises(ModuleFailed, match=r"answered 400: \*+ is wrong"):
            modules.run("gravitee_api_info", **apim(base))
