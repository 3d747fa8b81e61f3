"""The event source: what happens in APIM and AM comes into the queue once, and no server's failure ends it."""
from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.flows import activity

from tests.clients import Login, register
from tests.faults import Faults, proxy
from tests.runners import ROOT, Modules, connection
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

SOURCE = ROOT / "build/collections/ansible_collections/gravitee/mcp/extensions/eda/plugins/event_source/activity.py"
WEATHER = {"context_path": "/w-mcp", "name": "W"}


class Source:
    """The event source with its arguments, run until something happened `count` times."""

    def __init__(self, world: World, **args: Any):
        spec = importlib.util.spec_from_file_location("activity_source", SOURCE)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.main = module.main
        self.args = {**connection(world), "domain": "mcp-demo", "interval": 0.05, **args}

    def events(self, count: int, *happenings: Callable[[], Any]) -> list[dict[str, Any]]:
        """The first `count` events when, after the first look, one thing happens after the other, and twice what comes later."""

        async def watch() -> list[dict[str, Any]]:
            queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
            running = asyncio.create_task(self.main(queue, self.args))
            await asyncio.sleep(0.3)
            for happening in happenings:
                await asyncio.to_thread(happening)
                await asyncio.sleep(0.2)
            got = [await asyncio.wait_for(queue.get(), 10) for _event in range(count)]
            await asyncio.sleep(0.2)
            assert queue.empty(), "an event came twice"
            running.cancel()
            return got

        return asyncio.run(watch())


def secure(modules: Modules, world: World, **more: Any) -> None:
    modules.run("gravitee_api", **WEATHER, target=world.urls["mcp"], **more)
    modules.run("gravitee_plan", context_path="/w-mcp", security="api_key")
    modules.run("gravitee_deployment", context_path="/w-mcp")


@pytest.mark.parametrize("version", ["4.10", "4.11"])
def test_tokens_and_deployments(modules: Modules, world: World, domain: Domain, version: str) -> None:
    """The audit log's parameters are in lower case on AM 4.10, in upper case from 4.11 on."""
    world.am_version, world.domain_reload = version, 0
    url = f"{world.urls['gateway']}/w-mcp"
    secure(modules, world)
    modules.run("am_mcp_server", domain="mcp-demo", name="W", resource_identifiers=[url])
    modules.run("am_domain_settings", domain="mcp-demo", mcp_clients=True)
    client_id = register(world).json()["client_id"]
    Login().token(world, client_id, url)

    def deploy() -> None:
        secure(modules, world, read_timeout=7000)

    token, deployed = Source(world).events(2, lambda: Login().token(world, client_id, url), deploy)
    told = {"event": "token_created", "resource": url, "client_id": client_id, "user": "alice"}
    assert {**token, "at": 0} == {**told, "at": 0}
    assert token["at"] > 1_700_000_000_000
    assert (deployed["event"], deployed["name"], deployed["context_paths"]) == ("api_deployed", "W", ["/w-mcp"])


def test_a_server_that_is_down_is_told_once_and_what_happened_meanwhile_afterwards(modules: Modules, world: World) -> None:
    secure(modules, world)
    faults = Faults()
    with proxy(world.urls["apim"], faults) as apim:
        source = Source(world, apim_url=apim, am_url="", timeout=2)

        def fail() -> None:
            faults.broken = "."

        def recover() -> None:
            faults.broken = ""

        steps = (fail, lambda: secure(modules, world, read_timeout=7000), recover)
        down, up, deployed = source.events(3, *steps)
    assert (down["event"], down["plane"]) == ("unreachable", "apim")
    assert "answered 500" in down["message"]
    assert (up["event"], deployed["event"]) == ("reachable", "api_deployed")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"apim_url": "", "am_url": ""}, "am_url and apim_url are missing"),
        ({"domain": ""}, "domain is missing"),
        ({"domain": "no-such"}, "no-such"),
        ({"interval": "soon"}, "interval: 'soon' is no number of seconds"),
        ({"interval": -1}, "interval: -1 is no number of seconds"),
        ({"timeout": 0}, "timeout: 0 is no number of seconds"),
        ({"am_password": "wrong"}, "refused the credentials"),
        ({"apim_password": "", "apim_token": ""}, "apim_token is missing"),
        ({"domian": "x"}, "domian: there is no such argument. There are apim_url"),
    ],
)
def test_what_does_not_fit_ends_it_with_a_sentence(world: World, domain: Domain, args: dict[str, Any], said: str) -> None:
    source = Source(world, **args)
    with pytest.raises(Refusal, match=said) as failure:
        asyncio.run(asyncio.wait_for(source.main(asyncio.Queue(), source.args), 10))
    assert "wrong" not in str(failure.value)


def test_the_environment_gives_what_the_arguments_do_not(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**connection(world), "validate_certs": "false", "timeout": "7"}.items():
        monkeypatch.setenv(f"GRAVITEE_{name.upper()}", value)
    watched, _interval = activity.activity_of({"domain": "mcp-demo"})
    assert watched.am
    assert watched.apim
    options = watched.am.session.options
    assert (options.validate_certs, options.timeout, watched.apim.session.credentials.username) == (False, 7.0, "admin")
    assert activity.activity_of({"domain": "x", "validate_certs": True})[0].am.session.options.validate_certs is True
