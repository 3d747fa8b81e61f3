"""What counts as a secret, by its place and by its form."""
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.core.masking import MASK, mask, mask_text, secrets_in, without
from hypothesis import given
from hypothesis import strategies as st

HUSH = "hush-0123456789"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{HUSH}\n-----END RSA PRIVATE KEY-----"
PLACES: dict[str, Any] = {
    "client secret": {"clientSecret": HUSH},
    "password": {"proxy": {"username": "u", "password": HUSH}},
    "PEM key store": {"ssl": {"keyStore": {"type": "PEM", "keyContent": HUSH, "certContent": "public"}}},
    "PKCS12 key store": {"ssl": {"keyStore": {"type": "PKCS12", "content": HUSH, "password": HUSH, "keyPassword": HUSH}}},
    "trust store": {"ssl": {"trustStore": {"type": "JKS", "content": HUSH, "password": HUSH}}},
    "header": {"headers": [{"name": "Authorization", "value": HUSH}]},
    "header with a name of one's own": {"headers": [{"name": "X-Auth-User", "value": HUSH}, {"name": "X-My-Key", "value": HUSH}]},
    "API key in a header": {"headers": [{"name": "X-Api-Key", "value": HUSH}, {"name": "Cookie", "value": HUSH}]},
    "headers by name": {"headers": {"Authorization": HUSH, "X-Gravitee-Api-Key": [HUSH]}},
    "encrypted property": {"properties": [{"key": "k", "value": HUSH, "encrypted": True}]},
    "property to encrypt": {"properties": [{"key": "k", "value": HUSH, "encryptable": True}]},
    "property named so": {"properties": [{"key": "db-password", "value": HUSH}]},
    "userinfo": {"target": f"https://user:{HUSH}@host/mcp"},
    "userinfo without a password": {"target": f"https://{HUSH}@host/mcp"},
    "query": {"target": f"https://host/mcp?a=b&api_key={HUSH}&c=d"},
    "query, first": {"target": f"https://host/mcp?sig={HUSH}#f"},
    "private key anywhere": {"configuration": {"text": PEM}},
    "list under a secret's name": {"password": [HUSH, HUSH]},
    "list of all sorts under a secret's name": {"password": [HUSH, True, None, 0]},
    "object under a secret's name": {"clientSecret": {"current": {"value": HUSH}, "enabled": True}},
    "list in a property": {"properties": [{"key": "db-password", "value": [[HUSH]]}]},
}
HARMLESS: list[Any] = [
    {"clientSecret": "", "tokenEndpointAuthMethod": "none", "forgotPasswordEnabled": True, "name": "secret"},
    {"headers": [{"name": "Accept", "value": "json"}, {"name": "WWW-Authenticate", "value": "Bearer scope=\"openid\""}]},
    {"headers": {"WWW-Authenticate": "Bearer resource_metadata=\"http://gw/w\"", "Content-Type": "application/json"}},
    {"properties": [{"key": "k", "value": "v", "encrypted": False}], "content": "page", "author": "Alice"},
    {"target": "https://host:8080/mcp?author=me&page=1", "email": "alice@example.com", "credentials": "accepted"},
    {"keyStore": {"type": "", "path": "/etc/key.pem"}, "value": "v", "key": "a", "path": "/a@b"},
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one], lambda one: {"definition": {"a": [one]}}])
def test_a_secret_is_hidden_and_found_by_its_place(place: str, wrap: Any) -> None:
    value = wrap(PLACES[place])
    assert HUSH not in str(mask(value))
    assert HUSH in "".join(secrets_in(value))
    assert list(secrets_in(mask(value))) == [], "what is masked holds no secret any more"


@pytest.mark.parametrize("value", HARMLESS, ids=str)
def test_what_is_none_stays(value: Any) -> None:
    assert mask(value) == value
    assert list(secrets_in(value)) == []


@pytest.mark.parametrize(
    ("value", "other", "shown"),
    [
        ({"secret": "new"}, {"secret": "old"}, {"secret": f"{MASK} (changed)"}),
        ({"secret": "same"}, {"secret": "same"}, {"secret": MASK}),
        ({"secret": "new"}, {}, {"secret": MASK}),
        ({"target": "http://u:new@h"}, {"target": "http://u:old@h"}, {"target": f"http://{MASK}@h (changed)"}),
        ({"target": "http://u:same@h"}, {"target": "http://u:same@h"}, {"target": f"http://{MASK}@h"}),
        ({"target": "http://u:new@other"}, {"target": "http://u:old@h"}, {"target": f"http://{MASK}@other"}),
    ],
)
def test_a_mask_tells_that_a_secret_changed_and_not_which(value: Any, other: Any, shown: Any) -> None:
    assert mask(value, other) == shown


def test_a_text_without_its_secrets() -> None:
    assert without({"abcd", "abcdef", "ab"}, "x abcdef abcd ab") == f"x {MASK} {MASK} ab"
    assert mask_text(f"could not reach https://u:{HUSH}@h/?token={HUSH}") == f"could not reach https://{MASK}@h/?token={MASK}"


KEYS = st.sampled_from(["a", "headers", "keyStore", "value", "content", "name", "key", "password", "encrypted", "token"])
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(["Authorization", "x", f"http://u:{HUSH}@h", PEM]))
VALUES = st.recursive(
    LEAVES | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)
)


@given(VALUES, VALUES)
def test_the_same_rule_masks_and_finds(value: Any, other: Any) -> None:
    """What a mask leaves holds no secret; what holds no secret is not changed by it."""
    assert list(secrets_in(mask(value))) == []
    assert HUSH not in str(mask(value, other))
    if not list(secrets_in(value)):
        assert mask(value) == value
