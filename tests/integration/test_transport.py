"""TLS, addresses and proxies on the way to the management planes."""
from __future__ import annotations

import datetime
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.faults import proxy
from tests.runners import ModuleFailed, Modules
from tests.sandbox.world import World


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_path(ca: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return str(path)


def serving(ca: trustme.CA, *names: str, client: bool = False, **more: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names, **more).configure_cert(context)
    if client:
        context.verify_mode = ssl.CERT_REQUIRED
        ca.configure_trust(context)
    return context


@pytest.fixture
def tls(ca: trustme.CA, world: World) -> Iterator[str]:
    with proxy(world.urls["apim"], tls=serving(ca, "127.0.0.1")) as url:
        yield url


def test_certificates_are_checked_unless_told_otherwise(modules: Modules, tls: str, ca_path: str) -> None:
    with pytest.raises(ModuleFailed, match="failed in TLS: .*certificate.*Give ca_path for a private CA"):
        modules.run("gravitee_api_info", apim_url=tls, retries=0)
    assert modules.run("gravitee_api_info", apim_url=tls, ca_path=ca_path)["apis"] == []
    assert modules.run("gravitee_api_info", apim_url=tls, validate_certs=False)["apis"] == []


def test_the_environments_bundle_does_not_win(modules: Modules, tls: str, ca_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    other = trustme.CA()
    path = Path(ca_path).with_name("other.pem")
    other.cert_pem.write_to_path(path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    assert modules.run("gravitee_api_info", apim_url=tls, ca_path=ca_path)["apis"] == []


def test_the_environments_bundle_counts_without_ca_path(
    modules: Modules, tls: str, ca_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_path)
    assert modules.run("gravitee_api_info", apim_url=tls)["apis"] == []


def test_ca_path_counts_for_the_gateways_too(modules: Modules, world: World, ca: trustme.CA, ca_path: str) -> None:
    with proxy(world.urls["gateway"], tls=serving(ca, "127.0.0.1")) as url:
        asked = {"url": f"{url}/weather-mcp", "retries": 0}
        assert "failed in TLS" in modules.run("mcp_check", **asked)["summary"]
        assert "No context-path matches" in modules.run("mcp_check", **asked, ca_path=ca_path)["summary"]


def test_a_certificate_of_another_host_is_refused(modules: Modules, world: World, ca: trustme.CA, ca_path: str) -> None:
    with proxy(world.urls["apim"], tls=serving(ca, "elsewhere.example")) as url:
        with pytest.raises(ModuleFailed, match="failed in TLS: .*(doesn't match|not valid for|mismatch)"):
            modules.run("gravitee_api_info", apim_url=url, ca_path=ca_path, retries=0)


def test_an_expired_certificate_is_refused(modules: Modules, world: World, ca: trustme.CA, ca_path: str) -> None:
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    expired = serving(ca, "127.0.0.1", not_before=past, not_after=past + datetime.timedelta(days=1))
    with proxy(world.urls["apim"], tls=expired) as url:
        with pytest.raises(ModuleFailed, match="failed in TLS: .*expired"):
            modules.run("gravitee_api_info", apim_url=url, ca_path=ca_path, retries=0)


def test_a_client_certificate(modules: Modules, world: World, ca: trustme.CA, ca_path: str, tmp_path: Path) -> None:
    mine = ca.issue_cert("client@example.com")
    cert, key = tmp_path / "client.pem", tmp_path / "client.key"
    mine.cert_chain_pems[0].write_to_path(cert)
    mine.private_key_pem.write_to_path(key)
    with proxy(world.urls["apim"], tls=serving(ca, "127.0.0.1", client=True)) as url:
        given = {"apim_url": url, "ca_path": ca_path, "retries": 0}
        with pytest.raises(ModuleFailed, match="(?i)certificate required|could not be sent|failed in TLS"):
            modules.run("gravitee_api_info", **given)
        assert modules.run("gravitee_api_info", **given, client_cert=str(cert), client_key=str(key))["apis"] == []


def test_ipv6_and_a_path_prefix(modules: Modules, world: World) -> None:
    with proxy(world.urls["apim"], host="::1", prefix="/gravitee") as url:
        made = modules.run("gravitee_api", apim_url=url, context_path="/w", name="W", target="http://[::1]:9000/mcp")
        assert made["changed"] is True
        assert modules.run("gravitee_api_info", apim_url=f"{url}/management/v2/")["apis"][0]["name"] == "W"


def test_the_environments_proxy_is_used(modules: Modules, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy of the tests takes absolute URLs as a forward proxy gets them."""
    base = world.urls["apim"]
    with proxy(base, prefix="http://apim.internal:8083") as forward:
        monkeypatch.setenv("HTTP_PROXY", forward.removesuffix("http://apim.internal:8083"))
        monkeypatch.setenv("NO_PROXY", "")
        seen = modules.run("gravitee_api_info", apim_url="http://apim.internal:8083", retries=0)
    assert seen["apis"] == []
    assert seen["warnings"] == [
        "apim_url is plain http: the credentials for http://apim.internal:8083 travel in the open. Use https."
    ]


def test_loopback_without_tls_is_no_reason_to_warn(modules: Modules, world: World) -> None:
    assert modules.run("gravitee_api_info")["warnings"] == []
