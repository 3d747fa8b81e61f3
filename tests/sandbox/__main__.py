"""`python -m tests.sandbox`: the sandbox in the foreground."""
from __future__ import annotations

import argparse
import signal
import threading

from .am_domain import enabled_domain
from .servers import DEFAULT_PORTS, PortTaken, Sandbox
from .world import OAUTH2_POLICIES, World


def port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: give a number from 0 to 65535")
    return int(text)


def option(plane: str) -> str:
    return f"--{plane.replace('_', '-')}-port"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="make sandbox SANDBOX_ARGS=…",
        description="A local Gravitee on 127.0.0.1, empty as a fresh installation. Administrators: APIM admin/admin, "
        "AM admin/adminadmin. Ends with Ctrl-C; keeps nothing.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--apim", choices=list(OAUTH2_POLICIES), default="4.10", help="the version of APIM to play")
    parser.add_argument(
        "--policy", choices=list(OAUTH2_POLICIES.values()), help="the version of the OAuth2 policy; None for APIM's own"
    )
    parser.add_argument(
        "--no-subscription-validation",
        action="store_true",
        help="as with api.validateSubscription: false in the gateway's gravitee.yml",
    )
    parser.add_argument(
        "--introspection-window",
        type=float,
        help="seconds in which AM's introspection names a token's aud as its client_id; None for AM's own, 10 from 4.11 on",
    )
    parser.add_argument("--am", choices=["4.10", "4.11", "4.12"], default="4.10", help="the version of AM to play")
    parser.add_argument("--sync-delay", type=float, default=0.0, help="seconds until the gateways follow a change")
    parser.add_argument("--domain", help="name of an AM domain to start with, enabled")
    parser.add_argument("--user", help="user:password of a user to start with in that domain")
    parser.add_argument("--mcp-json", action="store_true", help="let the MCP server answer in JSON, not as an event stream")
    for plane, number in DEFAULT_PORTS.items():
        parser.add_argument(option(plane), type=port, default=number, help=f"port of {plane}; 0 for any free one")
    options = parser.parse_args()
    if options.user and not options.domain:
        parser.error("--user needs --domain: a user belongs to a domain")
    world = world_of(options)
    ports = {plane: getattr(options, f"{plane}_port") for plane in DEFAULT_PORTS}
    try:
        sandbox = Sandbox(world, ports, options.mcp_json)
    except PortTaken as taken:
        raise SystemExit(
            f"{taken}. End the program that has it, or give another port: make sandbox SANDBOX_ARGS='{option(taken.plane)} 0'"
        ) from None
    if options.domain:
        username, password = (options.user or "").partition(":")[::2]
        enabled_domain(world, options.domain, **({username: password} if options.user else {}))
    sandbox.start()
    print("ready " + " ".join(f"{plane}={url}" for plane, url in world.urls.items()), flush=True)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
    sandbox.stop()


def world_of(options: argparse.Namespace) -> World:
    world = World(options.apim, options.am, options.sync_delay)
    world.validate_subscription = not options.no_subscription_validation
    if options.policy:
        world.oauth2_policy = options.policy
    if options.introspection_window is not None:
        world.introspection_window = options.introspection_window
    return world


if __name__ == "__main__":
    main()
