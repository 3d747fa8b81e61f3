"""Gravitee's expression language, as far as selection rules, conditions and response templates were seen to use it.

A grammar of the forms of the recordings, in Spring's precedence; what it does not know fails, as what cannot be evaluated does.
The limits are Spring's and json-smart's (tried with gravitee-expression-language 4.3.0); the text that the operator `matches`
takes is half of what it can be there, as most characters are looked at more than once.
"""
from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, KeysView
from typing import Any

from starlette.datastructures import Headers

Variables = dict[str, Any]
Evaluated = Callable[[Variables], Any]
LONGEST, LONGEST_PATTERN, LONGEST_TEXT = 10_000, 1_000, 500_000  # characters
DEEPEST = 400  # levels of JSON
_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(#?[A-Za-z_]\w*|\d+)|(&&|\|\||==|!=|[!+().,>\[\]]))")
# How many arguments they take.
_METHODS = {"contains": 1, "equals": 1, "getFirst": 1, "matches": 1, "replaceAll": 2}
_METHODS |= dict.fromkeys(("keySet", "length", "size", "toString"), 0)
_WITHIN_TEXT = re.compile(r"\{#[^{}]*\}")
_CONSTANTS = {"null": None, "true": True, "false": False}


class ExpressionFailed(Exception):
    """An expression that is none, or that the values at hand do not allow."""


def holds(text: str, variables: Variables) -> bool:
    """Whether a rule or condition is true; a text that does not begin with {# is no expression and never is. ExpressionFailed."""
    if not text.startswith("{#") or not text.endswith("}"):
        return False
    return evaluate(text, variables) is True


def fill_in(text: str, variables: Variables) -> str:
    """The text with its expressions replaced by their values; one that fails stays as it is."""

    def value(match: re.Match[str]) -> str:
        try:
            return _text(evaluate(match.group(), variables))
        except ExpressionFailed:
            return match.group()

    return _WITHIN_TEXT.sub(value, text)


def evaluate(text: str, variables: Variables) -> Any:
    if len(text) > LONGEST:
        raise ExpressionFailed("too long")
    return _Parser(text[1:-1]).whole()(variables)


def json_path(content: Any, path: Any) -> Any:
    """#jsonPath for a path of names, or $..* for every value; of a name given twice the last counts.

    None where the last name is not there; what comes before it has to be.
    """
    names = re.fullmatch(r"\$((?:\.\w+)*)", path)
    if not names and path != "$..*":
        raise ExpressionFailed(f"no path: {path}")
    try:
        value = json.loads(content)
    except (RecursionError, TypeError, ValueError) as error:
        raise ExpressionFailed("no JSON") from error
    if _depth(value) > DEEPEST:
        raise ExpressionFailed("too deep")
    if not names:
        return list(_values(value))
    parts = names.group(1).split(".")[1:]
    for number, name in enumerate(parts, 1):
        if not isinstance(value, dict) or (name not in value and number < len(parts)):
            raise ExpressionFailed(f"no object with {name}")
        value = value.get(name)
    return value


def _values(value: Any) -> Iterator[Any]:
    """All values within a value, at whatever depth."""
    for part in _parts(value):
        yield part
        yield from _values(part)


def _parts(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _depth(value: Any) -> int:
    depth, layer = 0, [value]
    while layer := [one for one in layer if isinstance(one, (dict, list))]:
        depth += 1
        layer = [part for one in layer for part in _parts(one)]
    return depth


class _Parser:
    """Recursive descent; each method returns a function of the variables, so that what is not needed is not evaluated."""

    def __init__(self, text: str):
        self.tokens: list[str] = []
        at = 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            if not match:
                raise ExpressionFailed(f"not understood: {text[at:]}")
            self.tokens.append(match.group(match.lastindex or 0))
            at = match.end()
        self.tokens.reverse()

    def whole(self) -> Evaluated:
        found = self._or()
        if self.tokens:
            raise ExpressionFailed(f"not understood: {self.tokens[-1]}")
        return found

    def _next(self, *wanted: str) -> str | None:
        """The next token if it is one of these."""
        return self.tokens.pop() if self.tokens and self.tokens[-1] in wanted else None

    def _need(self, wanted: str) -> None:
        if not self._next(wanted):
            raise ExpressionFailed(f"{wanted} is missing")

    def _or(self) -> Evaluated:
        left = self._and()
        while self._next("||", "or"):
            left = _either(left, self._and())
        return left

    def _and(self) -> Evaluated:
        left = self._relation()
        while self._next("&&", "and"):
            left = _both(left, self._relation())
        return left

    def _relation(self) -> Evaluated:
        left = self._sum()
        operator = self._next("==", "!=", ">", "matches")
        if not operator:
            return left
        right = self._sum()
        if operator == "matches":
            return lambda v: _matches_by_operator(left(v), right(v))
        if operator == ">":
            return lambda v: _exceeds(left(v), right(v))
        return lambda v: (left(v) == right(v)) is (operator == "==")

    def _sum(self) -> Evaluated:
        left = self._unary()
        while self._next("+"):
            left = _joined(left, self._unary())
        return left

    def _unary(self) -> Evaluated:
        if self._next("!", "not"):
            operand = self._unary()
            return lambda v: not _truth(operand(v))
        found = self._primary()
        while step := self._next(".", "["):
            found = self._index(found) if step == "[" else self._member(found)
        return found

    def _primary(self) -> Evaluated:
        if self._next("("):
            found = self._or()
            self._need(")")
            return found
        token = self.tokens.pop() if self.tokens else ""
        if token.startswith("'"):
            return lambda _v: token[1:-1].replace("''", "'")
        if token.isdecimal():
            return lambda _v: int(token)
        if token in _CONSTANTS:
            return lambda _v: _CONSTANTS[token]
        if token == "#jsonPath":
            content, path = self._arguments(2)
            return lambda v: json_path(content(v), path(v))
        if token.startswith("#"):
            return lambda v: v.get(token[1:])
        raise ExpressionFailed(f"not understood: {token}")

    def _arguments(self, count: int) -> list[Evaluated]:
        self._need("(")
        found: list[Evaluated] = []
        while len(found) < count:
            if found:
                self._need(",")
            found.append(self._or())
        self._need(")")
        return found

    def _index(self, of: Evaluated) -> Evaluated:
        key = self._or()
        self._need("]")
        return lambda v: _member(of(v), key(v))

    def _member(self, of: Evaluated) -> Evaluated:
        name = self.tokens.pop() if self.tokens else ""
        if not self.tokens or self.tokens[-1] != "(":
            return lambda v: _member(of(v), name)
        if name not in _METHODS:
            raise ExpressionFailed(f"no method: {name}")
        arguments = self._arguments(_METHODS[name])
        return lambda v: _call(name, of(v), [argument(v) for argument in arguments])


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ExpressionFailed("neither true nor false")
    return value


def _member(value: Any, name: Any) -> Any:
    if not isinstance(value, dict):
        raise ExpressionFailed(f"{name} of what has none")
    return value.get(name)


def _contains(value: Any, item: Any) -> bool:
    if not isinstance(value, list) and not (isinstance(value, str) and isinstance(item, str)):
        raise ExpressionFailed("contains of what has no parts")
    return item in value


def _call(name: str, value: Any, arguments: list[Any]) -> Any:
    """A method of a text, of a list, of an object or of headers."""
    if value is None:
        raise ExpressionFailed(f"{name} of null")
    if name == "contains":
        return _contains(value, arguments[0])
    if name == "equals":
        return type(value) is type(arguments[0]) and value == arguments[0]
    if name == "toString":
        return _in_java(value)
    if name == "keySet" and isinstance(value, dict):
        return value.keys()
    if name == "size" and isinstance(value, (dict, list)):
        return len(value)
    if name == "getFirst" and isinstance(value, Headers):
        return value.get(arguments[0])
    if name in ("keySet", "size") or not all(isinstance(one, str) for one in (value, *arguments)):
        raise ExpressionFailed(f"{name} of what is no text")
    if name == "getFirst":
        raise ExpressionFailed("getFirst of what is no headers")
    if name == "length":
        return len(value)
    try:
        pattern = re.compile(arguments[0], re.ASCII)
    except re.error as error:
        raise ExpressionFailed(f"no pattern: {arguments[0]}") from error
    return pattern.sub(arguments[1], value) if name == "replaceAll" else pattern.fullmatch(value) is not None


def _in_java(value: Any) -> str:
    """toString() of a set of names, and of what json-smart makes of JSON."""
    if isinstance(value, (str, KeysView)):
        return value if isinstance(value, str) else f"[{', '.join(value)}]"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _matches_by_operator(value: Any, pattern: Any) -> Any:
    """Java's matches: the whole text, the classes of characters in ASCII; Spring gives up on what is long."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT or isinstance(pattern, str) and len(pattern) > LONGEST_PATTERN:
        raise ExpressionFailed("too long for matches")
    return _call("matches", value, [pattern])


def _exceeds(left: Any, right: Any) -> bool:
    if not isinstance(left, int) or not isinstance(right, int):
        raise ExpressionFailed("> of what is no number")
    return left > right


def _concatenation(left: Any, right: Any) -> str:
    if not isinstance(left, str) and not isinstance(right, str):
        raise ExpressionFailed("a sum without a text")
    return _text(left) + _text(right)


def _text(value: Any) -> str:
    return "null" if value is None else str(value)


def _either(a: Evaluated, b: Evaluated) -> Evaluated:
    return lambda v: _truth(a(v)) or _truth(b(v))


def _both(a: Evaluated, b: Evaluated) -> Evaluated:
    return lambda v: _truth(a(v)) and _truth(b(v))


def _joined(a: Evaluated, b: Evaluated) -> Evaluated:
    return lambda v: _concatenation(a(v), b(v))
