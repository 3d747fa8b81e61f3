"""gravitee_deployment with wait: when a deployment counts as proven."""
from __future__ import annotations

import contextlib
import http.server
import itertools
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.runners import ModuleFailed, Modules
from tests.sandbox.world import Request, World

AT = {"context_path": "/w"}


@contextlib.contextmanager
def balancer(gateways: list[int]) -> Iterator[str]:
    """One address for several gateways: each connection meets the next one, which answers with its status, again and again."""
    turn = itertools.count()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self.place = next(turn) % len(gateways)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(gateways[self.place])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.02}).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/w"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _closed_api(modules: Modules, world: World) -> None:
    modules.run("gravitee_api", **AT, name="W", target=world.urls["mcp"])
    modules.run("gravitee_plan", **AT, security="api_key")


def wait(modules: Modules, url: str, **params: Any) -> dict[str, Any]:
    given = {"wait_for": "secured", "wait_timeout": 1, "wait_interval": 0.02, **params}
    return modules.run("gravitee_deployment", **AT, wait=True, gateway_url=url, **given)


@pytest.mark.parametrize(("answers", "count"), [(1, 1), (5, 5), (0, 1)])
def test_so_many_answers_in_a_row(modules: Modules, world: World, answers: int, count: int) -> None:
    calls: list[Request] = []
    world.on_answer = lambda request: calls.append(request) if request.plane == "gateway" else None
    wait(modules, f"{world.urls['gateway']}/w", wait_answers=answers)
    assert [call.status for call in calls] == [401] * count


@pytest.mark.parametrize("late", [200, 404, 503])
@pytest.mark.parametrize("number", [2, 3])
def test_a_gateway_that_is_late_behind_the_same_address(modules: Modules, number: int, late: int) -> None:
    gateways = [401] * (number - 1) + [late]
    with balancer(gateways) as url:
        with pytest.raises(ModuleFailed, match=f"with no token still gets (401 and {late}|{late} and 401) in turn, not secured"):
            wait(modules, url)
        gateways[:] = [401] * number
        wait(modules, url)


def test_it_is_waited_for(modules: Modules) -> None:
    gateways = [404, 404]
    with balancer(gateways) as url:
        for place, after in ((0, 0.2), (1, 0.5)):
            threading.Timer(after, lambda place=place: gateways.__setitem__(place, 401)).start()
        wait(modules, url, wait_timeout=10)
        assert gateways == [401, 401]


def test_no_time_between_two_calls(modules: Modules) -> None:
    with balancer([404]) as url:
        with pytest.raises(ModuleFailed, match="still gets 404, not secured"):
            wait(modules, url, wait_interval=-1)


def test_apim_contradicts(modules: Modules, world: World) -> None:
    """The gateway answers as it should, with what somebody has changed since."""

    def edit(request: Request) -> None:
        if request.plane == "gateway":
            [api] = world.apis.values()
            api.definition["endpointGroups"][0]["endpoints"][0]["configuration"]["target"] = "http://elsewhere"

    world.on_answer = edit
    with pytest.raises(ModuleFailed, match="after 1 s APIM says that the API /w has changes again that are not deployed"):
        wait(modules, f"{world.urls['gateway']}/w")


def test_apim_contradicts_the_state(modules: Modules, world: World) -> None:
    [api] = world.apis.values()
    with balancer([401]) as url:
        modules.run("gravitee_deployment", **AT)

        def stop(request: Request) -> None:
            if request.path.endswith("/deployments"):
                api.state = "STOPPED"

        modules.run("gravitee_api", **AT, read_timeout=7000)
        world.on_answer = stop
        with pytest.raises(ModuleFailed, match="APIM says that the API /w is stopped, not started"):
            wait(modules, url)
