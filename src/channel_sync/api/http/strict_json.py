"""Strict JSON: UTF-8, no duplicate members, no NaN, no odd characters, neither deep nor of too many values."""

import json
import re
from decimal import Decimal
from math import isfinite
from typing import Any

from channel_sync.api.http.problems import HttpProblem, malformed

MAX_DEPTH = 32
# Of one object. The largest that the contract knows has fewer than half of them.
MAX_MEMBERS = 64
_MAX_DIGITS = 20
_LONGEST_DECIMAL = 40
# Both can only arrive as escapes, which are rare: without one there is no need to look at every text.
_ODD_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_ODD = re.compile("[\0\ud800-\udfff]")


def parse(body: bytes, max_nodes: int) -> Any:
    """The JSON value of a body, at once; `max_nodes` is how many values it may be made of."""
    text = decode(body)
    try:
        value = DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise broken() from error
    except RecursionError as error:
        raise too_deep() from error
    check(value, text, MAX_DEPTH, max_nodes)
    return value


def decode(body: bytes) -> str:
    """The body as text."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise not_utf8() from error


def check(value: Any, text: str, depth: int, max_nodes: int) -> int:
    """How many values it is made of. It may be nested so deep, and stands in this text, which may hold more."""
    nodes = _count(value, depth)
    if nodes > max_nodes:
        raise too_many_nodes()
    if _ODD_ESCAPE.search(text):
        _check_texts(value)
    return nodes


def _count(value: Any, depth: int) -> int:
    nodes, level = 1, _containers([value])
    while level:
        if depth == 0:
            raise too_deep()
        children = [child for parent in level for child in _children(parent)]
        nodes, level, depth = nodes + len(children), _containers(children), depth - 1
    return nodes


def _containers(values: list[Any]) -> list[dict[str, Any] | list[Any]]:
    return [value for value in values if isinstance(value, (dict, list))]


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_MEMBERS:
        raise too_many_members()
    members = dict(pairs)
    if len(members) < len(pairs):
        raise duplicate()
    return members


def _refuse_constant(_: str) -> Any:
    raise malformed("malformed_json", "NaN and Infinity are not JSON.")


def _number(text: str) -> float:
    """JSON Schema, which the contract is written in, takes 5.0 and 5e0 for the integer 5, and so do we."""
    number = float(text)
    if not isfinite(number):
        raise malformed("number_out_of_range", "A number is too large.")
    if len(text) > _LONGEST_DECIMAL or abs(number) > 10**_MAX_DIGITS:
        return number
    # From the text, for a float of that size is not exact.
    exact = Decimal(text)
    return int(exact) if exact == exact.to_integral_value() else number


def _whole(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise HttpProblem(422, "number_out_of_range", "A number is too large.")
    return int(text)


def _check_texts(value: Any) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if _ODD.search(item):
                raise HttpProblem(422, "invalid_character", "A text holds NUL or half a surrogate pair.")
        elif isinstance(item, (dict, list)):
            waiting.extend(_children(item))
            waiting.extend(item if isinstance(item, dict) else ())


def _children(value: dict[str, Any] | list[Any]) -> list[Any]:
    return value if isinstance(value, list) else list(value.values())


def broken() -> HttpProblem:
    """It is no JSON."""
    return malformed("malformed_json", "The body is not JSON.")


def not_utf8() -> HttpProblem:
    """It is in another encoding."""
    return malformed("not_utf8", "The body is not UTF-8.")


def duplicate() -> HttpProblem:
    """Readers differ in which of the two they take."""
    return malformed("duplicate_member", "A member stands twice in one object.")


def too_deep() -> HttpProblem:
    """It is nested deeper than any body of ours."""
    return malformed("too_deep", f"The body is nested deeper than {MAX_DEPTH}.")


def too_many_members() -> HttpProblem:
    """An object has more members than any of ours."""
    return malformed("too_many_members", f"An object has more than {MAX_MEMBERS} members.")


def too_many_nodes() -> HttpProblem:
    """It is made of more values than any body of ours."""
    return malformed("too_many_values", "The body is made of too many values.")


DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_constant=_refuse_constant, parse_float=_number, parse_int=_whole
)
