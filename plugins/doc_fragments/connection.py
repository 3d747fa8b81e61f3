# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """How to reach Gravitee. Every module takes all of it, so that one module_defaults entry serves all modules."""

    DOCUMENTATION = r"""
options:
  apim_url:
    description:
      - Base URL of APIM's management API, such as V(https://apim.example.com:8083).
      - A V(/management) at its end makes no difference.
      - Needed by the modules that manage something in APIM. The others accept and ignore it.
      - If not set, the environment variable E(GRAVITEE_APIM_URL) is used.
    type: str
  apim_token:
    description:
      - Personal access token of an APIM user. Wins over O(apim_username) and O(apim_password).
      - It is exchanged for the login's JWT, which APIM checks far faster, see O(token_cache).
      - If not set, the environment variable E(GRAVITEE_APIM_TOKEN) is used.
    type: str
  apim_username:
    description:
      - APIM user, together with O(apim_password).
      - If not set, the environment variable E(GRAVITEE_APIM_USERNAME) is used.
    type: str
  apim_password:
    description:
      - The APIM user's password.
      - If not set, the environment variable E(GRAVITEE_APIM_PASSWORD) is used.
    type: str
  am_url:
    description:
      - Base URL of AM's management API, such as V(https://am.example.com:8093).
      - A V(/management) at its end makes no difference.
      - Needed by the modules that manage something in AM. The others accept and ignore it.
      - If not set, the environment variable E(GRAVITEE_AM_URL) is used.
    type: str
  am_token:
    description:
      - Account access token of an AM user. Wins over O(am_username) and O(am_password).
      - If not set, the environment variable E(GRAVITEE_AM_TOKEN) is used.
    type: str
  am_username:
    description:
      - AM user, together with O(am_password).
      - If not set, the environment variable E(GRAVITEE_AM_USERNAME) is used.
    type: str
  am_password:
    description:
      - The AM user's password.
      - If not set, the environment variable E(GRAVITEE_AM_PASSWORD) is used.
    type: str
  organization:
    description:
      - Id of the organization, in APIM and in AM.
      - If not set, the environment variable E(GRAVITEE_ORGANIZATION) is used.
    type: str
    default: DEFAULT
  environment:
    description:
      - Id of the environment, in APIM and in AM.
      - If not set, the environment variable E(GRAVITEE_ENVIRONMENT) is used.
    type: str
    default: DEFAULT
  validate_certs:
    description:
      - Whether to refuse servers whose TLS certificate is not valid.
      - If not set, the environment variable E(GRAVITEE_VALIDATE_CERTS) is used.
    type: bool
    default: true
  ca_path:
    description:
      - File or directory with the CA certificates to trust instead of the system's.
      - If not set, the environment variable E(GRAVITEE_CA_PATH) is used.
    type: path
  client_cert:
    description:
      - File with a client certificate, PEM; with its key, unless O(client_key) names that.
      - If not set, the environment variable E(GRAVITEE_CLIENT_CERT) is used.
    type: path
  client_key:
    description:
      - File with the key of O(client_cert), PEM.
      - If not set, the environment variable E(GRAVITEE_CLIENT_KEY) is used.
    type: path
  timeout:
    description:
      - How long to wait for a connection, and for each answer, in seconds.
      - If not set, the environment variable E(GRAVITEE_TIMEOUT) is used.
    type: float
    default: 30.0
  retries:
    description:
      - How often to repeat a request that may be repeated safely, with growing pauses and what the server says in C(Retry-After);
        one whose connection never came about or that got 429, or a read that got no answer or 502, 503 or 504.
      - What was repeated is in the result's C(retried), and so visible with C(-v).
      - If not set, the environment variable E(GRAVITEE_RETRIES) is used.
    type: int
    default: 3
  retry_deadline:
    description:
      - How long the repetitions of one request may take together, in seconds.
      - If not set, the environment variable E(GRAVITEE_RETRY_DEADLINE) is used.
    type: float
    default: 60.0
  token_cache:
    description:
      - Whether to keep the tokens that credentials are exchanged for, until they expire, so that a play exchanges them once.
      - They are kept in memory-backed, private storage of the host that runs the module (a directory of mode 0700 below
        E(XDG_RUNTIME_DIR) or C(/dev/shm), or else the temporary directory). File names tell nothing of the credentials.
      - If not set, the environment variable E(GRAVITEE_TOKEN_CACHE) is used.
    type: bool
    default: true
requirements:
  - python >= 3.10
  - requests >= 2.28
  - pydantic >= 2.0
notes:
  - The examples take addresses and credentials of the management APIs from the environment; C(module_defaults) of
    C(group/gravitee.mcp.gravitee) may have them instead.
  - The proxies of the environment apply (E(HTTP_PROXY), E(HTTPS_PROXY), E(NO_PROXY)).
"""

    # Attributes of modules that manage an object.
    MANAGED = r"""
options: {}
attributes:
  check_mode:
    description: Predicts what it would do, and sends no write.
    support: full
  diff_mode:
    description: Returns what differs before and after, with every secret masked.
    support: full
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second run changes nothing.
    support: full
"""

    # Attributes of modules that only read.
    READS = r"""
options: {}
attributes:
  check_mode:
    description: Does the same in check mode, as it changes nothing.
    support: full
  diff_mode:
    description: Changes nothing, so there is no diff.
    support: N/A
"""

    # The API that a part belongs to.
    API = r"""
options:
  api_id:
    description:
      - Id of the API, such as M(gravitee.mcp.gravitee_api) returns it. Saves looking for it.
      - One of O(api_id) and O(context_path) is required.
    type: str
  context_path:
    description:
      - Context path of the API, with or without slashes at its ends.
    type: str
"""
