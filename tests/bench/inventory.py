"""An environment of many APIs, some of which are MCP servers, and the inventory that lists those."""
from __future__ import annotations

from pathlib import Path

import yaml

from tests.runners import connection
from tests.sandbox.apim_api import ApiRecord
from tests.sandbox.apim_definition import normalize
from tests.sandbox.apim_plans import ApimPlans
from tests.sandbox.world import World

MCP_SERVERS = 100


def fill(world: World, count: int) -> None:
    """So many APIs, without a request for each, the MCP servers among them at equal distances."""
    plans = ApimPlans(type("Plane", (), {"world": world}))
    for number in range(count):
        serves_mcp = number % (count // MCP_SERVERS) == 0
        record = ApiRecord(world, normalize(_definition(number, serves_mcp), world, creating=True))
        record.definition["properties"] = [
            {"key": f"key-{n}", "value": f"value {n} of API {number}", "encrypted": False, "dynamic": False} for n in range(10)
        ]
        world.apis[record.id] = record
        if serves_mcp:
            plans.make(record, {"name": "OAuth2", "security": {"type": "API_KEY"}})["status"] = "PUBLISHED"


def _definition(number: int, serves_mcp: bool) -> dict[str, object]:
    name = f"{'mcp' if serves_mcp else 'orders'}-{number}"
    target = {"target": f"http://{name}.internal.example.com:8080/"}
    endpoint = {"name": "e", "type": "http-proxy", "weight": 1, "inheritConfiguration": True, "configuration": target}
    group = {"name": "g", "type": "http-proxy", "endpoints": [endpoint], "sharedConfiguration": {"http": {"readTimeout": 10000}}}
    return {
        "name": name,
        "apiVersion": "1.0",
        "definitionVersion": "V4",
        "type": "PROXY",
        "description": "What this API is for, in a sentence or two, as people write them. " * 3,
        "listeners": [{"type": "HTTP", "paths": [{"path": f"/{name}"}], "entrypoints": [{"type": "http-proxy"}]}],
        "endpointGroups": [group],
    }


def source(folder: Path, world: World) -> Path:
    """The inventory's file."""
    path = folder / "bench.gravitee_mcp.yml"
    path.write_text(yaml.safe_dump({"plugin": "gravitee.mcp.gravitee_mcp", **connection(world)}), encoding="utf-8")
    return path
