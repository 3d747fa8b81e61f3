"""AM's audit log: what a token that was given out leaves there."""
from __future__ import annotations

import json
from typing import Any

from .am_domain import Domain
from .world import new_id

# What AM 4.10 writes in lower case; from 4.11 on every parameter is in upper case.
LOWER = {"grant_type", "resource", "scope"}


def token_created(domain: Domain, client: dict[str, Any], user: dict[str, Any] | None = None, **parameters: str | None) -> None:
    """Note a token for `client`, and for `user` unless the client got it for itself."""
    parameters |= {"signing_certificate_id": domain.certificate, "signing_certificate_name": "Default"}
    if user and "openid" in (parameters.get("scope") or "").split():
        parameters["id_token"] = f"Delivered for sub '{user['id']}'"
    lower = LOWER if domain.world.am_version == "4.10" else set()
    values = {key if key in lower else key.upper(): value for key, value in parameters.items() if value}
    patch = [{"op": "add", "path": f"/{key}", "value": value} for key, value in sorted(values.items())]
    reference = {"referenceType": "domain", "referenceId": domain.id}
    application = {"id": client["id"], "displayName": client["name"]}
    entry = {
        "id": new_id(),
        "transactionId": new_id(),
        "type": "TOKEN_CREATED",
        **reference,
        "accessPoint": {**application, "alternativeId": client["settings"]["oauth"]["clientId"]},
        "actor": {**application, "alternativeId": client["name"], "type": "APPLICATION", **reference, "attributes": {}},
        "outcome": {"status": "success", "message": json.dumps(patch, separators=(",", ":"))},
        "timestamp": domain.world.now_ms() // 1000 * 1000,
    }
    if user:
        entry["target"] = {
            "id": user["id"],
            "alternativeId": user["username"],
            "type": "USER",
            "displayName": f"{user['firstName']} {user['lastName']}",
            **reference,
            "attributes": {"sourceId": user["source"], "externalId": user["externalId"], "accessTokenSubject": user["id"]},
        }
    domain.audits.append(entry)
