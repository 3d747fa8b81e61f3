# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source of Event-Driven Ansible: clients that get tokens, and APIs that are deployed."""
from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

DOCUMENTATION = r"""
short_description: Clients that get tokens in AM, and APIs that are deployed in APIM
description:
  - Looks at AM's audit log and at APIM's list of APIs every few seconds, and tells of what is new. What happened before the
    source was started is no event.
  - An event of a token has C(event=token_created), C(resource), C(client_id), C(user), which is null for a machine, and C(at), in
    milliseconds since 1970.
  - An event of a deployment has C(event=api_deployed), C(api_id), C(name), C(context_paths) and C(at).
  - A server that does not answer is told once, with C(event=unreachable), C(plane) and C(message), and with C(event=reachable)
    when it answers again. One that refuses the credentials ends the source.
  - Needs the Python packages requests and pydantic in the environment of ansible-rulebook.
options:
  apim_url:
    description: Where APIM's management API is. Also E(GRAVITEE_APIM_URL). Without it nobody looks for deployments.
    type: str
  apim_token:
    description: Personal access token. Also E(GRAVITEE_APIM_TOKEN).
    type: str
  apim_username:
    description: User, instead of a token. Also E(GRAVITEE_APIM_USERNAME).
    type: str
  apim_password:
    description: Password of that user. Also E(GRAVITEE_APIM_PASSWORD).
    type: str
  am_url:
    description: Where AM's management API is. Also E(GRAVITEE_AM_URL). Without it nobody looks for tokens.
    type: str
  am_token:
    description: Account access token. Also E(GRAVITEE_AM_TOKEN).
    type: str
  am_username:
    description: User, instead of a token. Also E(GRAVITEE_AM_USERNAME).
    type: str
  am_password:
    description: Password of that user. Also E(GRAVITEE_AM_PASSWORD).
    type: str
  domain:
    description: The AM domain whose audit log is watched, by its hrid or its id. Needed with O(am_url).
    type: str
  organization:
    description: The organization, C(DEFAULT) if not given. Also E(GRAVITEE_ORGANIZATION).
    type: str
  environment:
    description: The environment, C(DEFAULT) if not given. Also E(GRAVITEE_ENVIRONMENT).
    type: str
  validate_certs:
    description: Whether certificates are validated, which they are if it is not given. Also E(GRAVITEE_VALIDATE_CERTS).
    type: bool
  ca_path:
    description: File or folder of CA certificates. Also E(GRAVITEE_CA_PATH).
    type: path
  client_cert:
    description: Client certificate, for servers that ask for one. Also E(GRAVITEE_CLIENT_CERT).
    type: path
  client_key:
    description: Key of that certificate. Also E(GRAVITEE_CLIENT_KEY).
    type: path
  timeout:
    description: Seconds for one request, 30 if not given. Also E(GRAVITEE_TIMEOUT).
    type: float
  interval:
    description: Seconds between two looks.
    type: float
    default: 5
"""

EXAMPLES = r"""
- gravitee.mcp.activity:
    am_url: https://am.example.com:8093
    am_token: "{{ AM_TOKEN }}"
    domain: mcp
"""


async def main(queue: asyncio.Queue[dict[str, Any]], args: dict[str, Any]) -> None:
    """Put events into the queue for as long as the rulebook runs. Refusal for arguments or credentials that do not fit."""
    # ansible-rulebook runs this file alone: what it needs of the collection is below the folder that has ansible_collections.
    sys.path.append(str(Path(__file__).absolute().parents[7]))
    from ansible_collections.gravitee.mcp.plugins.module_utils.flows.activity import activity_of

    activity, interval = activity_of(args)
    while True:
        for event in await asyncio.to_thread(activity.look):
            await queue.put(event)
        await asyncio.sleep(interval)


if __name__ == "__main__":
    # Prints events, with the connection from the environment: python activity.py DOMAIN

    class Printer:
        """Stands for ansible-rulebook's queue."""

        async def put(self, event: dict[str, Any]) -> None:
            """Print what would be put."""
            print(event, flush=True)

    asyncio.run(main(Printer(), {"domain": sys.argv[1] if len(sys.argv) > 1 else ""}))  # type: ignore[arg-type]
