"""Gravitee's expression language, as far as selection rules, conditions and response templates were seen to use it.

A grammar of the forms of the recordings, in Spring's precedence; what it does not know fails, as what cannot be evaluated does.
"""
from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Variables = dict[str, Any]
Evaluated = Callable[[Variables], Any]
_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(#?[A-Za-z_]\w*)|(&&|\|\||==|!=|[!+().,\[\]]))")
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
    return _Parser(text[1:-1]).whole()(variables)


def json_path(content: Any, path: Any) -> Any:
    """#jsonPath for a path of names; of a name given twice the last counts, None where there is nothing."""
    names = re.fullmatch(r"\$((?:\.\w+)+)", path)
    if not names:
        raise ExpressionFailed(f"no path: {path}")
    try:
        value = json.loads(content)
    except (TypeError, ValueError) as error:
        raise ExpressionFailed("no JSON") from error
    for name in names.group(1)[1:].split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


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
        operator = self._next("==", "!=", "matches")
        if not operator:
            return left
        right = self._sum()
        if operator == "matches":
            return lambda v: _matches(left(v), right(v))
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
        found = [self._or()]
        while len(found) < count:
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
        if name != "contains":
            return lambda v: _member(of(v), name)
        (item,) = self._arguments(1)
        return lambda v: _contains(of(v), item(v))


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


def _matches(value: Any, pattern: Any) -> bool:
    """Java's matches: the whole text, the classes of characters in ASCII."""
    if not isinstance(value, str) or not isinstance(pattern, str):
        raise ExpressionFailed("matches of what is no text")
    try:
        return re.fullmatch(pattern, value, re.ASCII) is not None
    except re.error as error:
        raise ExpressionFailed(f"no pattern: {pattern}") from error


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
