"""Logs in at an authorization URL and consents; prints what comes to the redirect URI, as JSON."""
from __future__ import annotations

import json
import sys

from tests.clients import REDIRECT, Login

if __name__ == "__main__":
    print(json.dumps(Login().approve(sys.argv[1], REDIRECT)))
