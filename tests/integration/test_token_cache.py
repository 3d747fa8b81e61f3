"""Tokens outlive a task, safely."""
from __future__ import annotations

import base64
import json
import stat
import time
from pathlib import Path

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.token_cache import TokenCache, default_folder

from tests.runners import ModuleFailed, Modules
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

WHO = ("https://apim", "DEFAULT", None, "user", "hush-hush")


@pytest.fixture
def cache(tmp_path: Path) -> TokenCache:
    return TokenCache(tmp_path / "cache")


def jwt(expires: float) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"exp": expires}).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.x"


def logins(world: World) -> int:
    return len([request for request in world.log if request.path.endswith(("/login", "/auth/token"))])


def test_one_exchange_for_many_tasks(modules: Modules, world: World, domain: Domain) -> None:
    for _task in range(3):
        modules.run("gravitee_api_info")
        modules.run("am_mcp_server_info", domain="mcp-demo")
    assert logins(world) == 2


def test_it_can_be_switched_off(modules: Modules, world: World) -> None:
    for _task in range(3):
        modules.run("gravitee_api_info", token_cache=False)
    assert logins(world) == 3
    assert not default_folder().exists()


def test_a_refused_token_is_exchanged_anew_once(modules: Modules, world: World, domain: Domain) -> None:
    """The server forgot the token: it was restarted, or the token was revoked, or a clock is off."""
    for name, given in (("gravitee_api_info", {}), ("am_mcp_server_info", {"domain": "mcp-demo"})):
        modules.run(name, **given)
        world.tokens.clear()
        before = logins(world)
        modules.run(name, **given)
        assert logins(world) == before + 1


def test_other_credentials_do_not_get_the_token(modules: Modules, world: World) -> None:
    modules.run("gravitee_api_info")
    with pytest.raises(ModuleFailed, match="refused the credentials"):
        modules.run("gravitee_api_info", apim_password="other-password")


def test_what_is_kept_is_private_and_named_after_nothing(modules: Modules) -> None:
    modules.run("gravitee_api_info")
    folder = default_folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list(folder.iterdir())
    assert len(files) == 2  # the key and the token
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert "admin" not in file.name


def test_names_do_not_tell_the_credentials(tmp_path: Path) -> None:
    """The same credentials have another name under another key."""
    names = []
    for folder in ("a", "b"):
        TokenCache(tmp_path / folder).put("token", *WHO)
        names += [file.name for file in (tmp_path / folder).iterdir() if file.name != "key"]
    assert len(set(names)) == 2


@pytest.mark.parametrize(("life", "kept"), [(3600, True), (30, False), (-1, False)])
def test_a_token_is_kept_as_long_as_it_lives(cache: TokenCache, life: int, kept: bool) -> None:
    cache.put("opaque", *WHO, expires=time.time() + life)
    assert (cache.get(*WHO) == "opaque") is kept
    cache.put(jwt(time.time() + life), *WHO)
    assert (cache.get(*WHO) is not None) is kept


def test_what_is_not_ours_alone_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cache = TokenCache(folder)
    cache.put("token", *WHO)
    [file] = [file for file in folder.iterdir() if file.name != "key"]
    file.chmod(0o644)
    assert cache.get(*WHO) is None
    file.chmod(0o600)
    folder.chmod(0o755)
    assert cache.get(*WHO) is None
    folder.chmod(0o700)
    assert cache.get(*WHO) == "token"
    file.write_text("{broken")
    assert cache.get(*WHO) is None
    moved = folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(moved)
    cache.put("other", *WHO)
    assert cache.get(*WHO) is None


def test_no_place_to_keep_it_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = TokenCache(tmp_path / "file" / "below")
    cache.put("token", *WHO)
    cache.forget(*WHO)
    assert cache.get(*WHO) is None
