# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment would change: the definition that is served, beside the one that would be. Pure: no HTTP."""
from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.masking import mask, mask_text
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.definition import NOT_OF_THE_GATEWAY, READ_ONLY
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_plan import OF_THE_GATEWAY, SERVED
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Deployment

UNSEEN = "a change that APIM counts and the definitions do not show"
ORDER = "order"  # of a list's items, as a place of its own
LONGEST = 200  # characters of a value
_NOT_COMPARED = NOT_OF_THE_GATEWAY | READ_ONLY | {"definitionVersion", "disableMembershipNotifications"}
# Below these a field's own name says enough; anywhere else the part of the definition goes before it.
_PLAIN = ("endpointGroups", "listeners")


def open_plans(plans: Iterable[Mapping[str, Any]]) -> dict[tuple[Any, ...], str]:
    """Of the plans that are served, in APIM's or in the gateway's form, those that let in anyone without credentials.

    The key tells one from another, and from itself with another selection rule or other tags; the value is its name.
    """
    return {
        (plan["id"], plan.get("selectionRule") or "", *sorted(plan.get("tags") or [])): plan["name"]
        for plan in plans
        if _status(plan) in SERVED and _upper((plan.get("security") or {}).get("type")) == "KEY_LESS"
    }


def pending(served: Deployment | None, api: Mapping[str, Any], plans: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line for each difference between what is served and what a deployment would serve; `plans` are all plans of the API.

    "plan Keyless: not served → published", "target: http://a → http://b". Secrets are masked.
    """
    known = {plan["id"]: plan for plan in plans}
    if served is None:
        return ["the whole API: never deployed", *_plans({}, known)]
    before = {key: value for key, value in served.definition.items() if key not in _NOT_COMPARED}
    after = {key: value for key, value in api.items() if key not in _NOT_COMPARED}
    lines = [*_lines(_in_words_of_apim(before), after), *_plans({plan["id"]: plan for plan in served.plans}, known)]
    return lines or [UNSEEN]


def _in_words_of_apim(definition: dict[str, Any]) -> dict[str, Any]:
    """A gateway's response template has a status where APIM's has a statusCode."""
    templates = {
        key: {
            kind: {("statusCode" if name == "status" else name): value for name, value in template.items()}
            for kind, template in kinds.items()
        }
        for key, kinds in (definition.get("responseTemplates") or {}).items()
    }
    return {**definition, "responseTemplates": templates}


def _plans(served: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    for plan_id in {**served, **known}:
        plan = known.get(plan_id) or served[plan_id]
        was = _status(served[plan_id]) if plan_id in served else "NOT SERVED"
        now = _status(known[plan_id]) if plan_id in known else "REMOVED"
        if was == "NOT SERVED" and now not in SERVED:
            continue
        if was != now:
            yield f"plan {plan['name']}: {was.lower()} → {now.lower()}"
        if plan_id in served and now in SERVED:
            before, after = ({key: one.get(key) for key in OF_THE_GATEWAY} for one in (served[plan_id], plan))
            yield from (f"plan {plan['name']} {line}" for line in _lines(before, after, plain=OF_THE_GATEWAY))


def _lines(before: Any, after: Any, plain: Iterable[str] = _PLAIN) -> Iterator[str]:
    places = [*_places(before), *_places(after)]
    for place, was, now in _differences(before, after, ()):
        tells_little = isinstance(was, dict) or isinstance(now, dict) or place[-1] == ORDER
        label = _shortest(place, places, 2 if tells_little else 1)
        if place[0] not in plain and label[0] != place[0]:
            label = (place[0], *label)
        yield f"{' '.join(label)}: {_change(was, now)}"


def _differences(before: Any, after: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """(where, what is there, what would be) for each difference, ready to be shown."""
    if isinstance(before, dict) and isinstance(after, dict):
        shown = mask(before), mask(after, before)
        for key in {**before, **after}:
            was, now = before.get(key), after.get(key)
            if key == "id" or _same(was, now):
                continue
            if _nested(was or now) and isinstance(now if was is None else was, list):
                yield from _differences(was or [], now or [], (*place, key))
            elif isinstance(was, dict) and isinstance(now, dict):
                yield from _differences(was, now, (*place, key))
            else:
                yield (*place, key), shown[0].get(key), shown[1].get(key)
    else:
        first, second = _by_name(before, after)
        yield from _differences(first, second, place)
        both = [[name for name in one if name in other] for one, other in ((first, second), (second, first))]
        if both[0] != both[1]:
            yield (*place, ORDER), ", ".join(both[0]), ", ".join(both[1])


def _nested(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value))


def _same(was: Any, now: Any) -> bool:
    """Equal, or both empty (APIM writes out what the gateway's form leaves away), or an enumeration's value in both forms."""
    if _empty(was) or _empty(now):
        return _empty(was) and _empty(now)
    if isinstance(was, str) and isinstance(now, str):
        return was == now or (now == now.upper() and was == now.lower().replace("_", "-"))
    if isinstance(was, dict) and isinstance(now, dict):
        return all(key == "id" or _same(was.get(key), now.get(key)) for key in {**was, **now})
    if _nested(was) and _nested(now):
        return len(was) == len(now) and all(_same(one, other) for one, other in zip(was, now, strict=True))
    return bool(was == now)


def _empty(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, (str, list, dict)) and not value)


def _by_name(before: list[Any], after: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both lists as mappings, by what names an item; by their numbers where nothing does."""
    named = [{_name(item): item for item in items} for items in (before, after)]
    if "" in {**named[0], **named[1]} or [len(items) for items in named] != [len(before), len(after)]:
        named = [{str(number): item for number, item in enumerate(items, 1)} for items in (before, after)]
    return named[0], named[1]


def _name(item: Any) -> str:
    for key in ("name", "key", "path"):
        if isinstance(item, dict) and isinstance(item.get(key), str):
            return f"{item.get('host') or ''}{item[key]}"
    return _upper(item.get("type")).lower().replace("_", "-") if isinstance(item, dict) else ""


def _places(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where every value stands, and every part that holds some."""
    if place:
        yield place
    if _nested(value):
        items = _by_name(value, [])[0] if isinstance(value, list) else value
        for key, item in items.items():
            yield from _places(item, (*place, key))


def _shortest(place: tuple[str, ...], places: Iterable[tuple[str, ...]], least: int) -> tuple[str, ...]:
    """The end of `place` that no other place has."""
    others = {other for other in places if other != place}
    for length in range(least, len(place)):
        if not any(other[-length:] == place[-length:] for other in others):
            return place[-length:]
    return place


def _change(was: Any, now: Any) -> str:
    if isinstance(was, dict) or isinstance(now, dict):
        return "added" if was is None else "removed" if now is None else "changed"
    return f"{_shown(was)} → {_shown(now)}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        text = ", ".join(_shown(item) for item in value)
    else:
        text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    text = mask_text(" ".join(text.split()))
    return (text if len(text) <= LONGEST else f"{text[:LONGEST]}…") or "none"


def _status(plan: Mapping[str, Any]) -> str:
    return _upper(plan.get("status"))


def _upper(value: Any) -> str:
    return str(value or "").upper().replace("-", "_")
