"""Strict JSON bodies: UTF-8, no duplicate members, no NaN, no odd characters, not deeper than 32."""

import json
from collections.abc import Callable, Coroutine
from decimal import Decimal
from math import isfinite
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from channel_sync.api.problems import HttpProblem, malformed
from channel_sync.api.queries import check_query, parameters_of
from channel_sync.domain.errors import NotFound

MAX_DEPTH = 32
_MAX_DIGITS = 20
_LONGEST_DECIMAL = 40


class StrictRequest(Request):
    """A request whose `json()` refuses what Python's parser would let pass."""

    async def json(self) -> Any:
        """The body as JSON, or an `HttpProblem` that says what is wrong with it."""
        if not hasattr(self, "_json"):
            self._json = parse(await self.body())
        return self._json


class StrictRoute(APIRoute):
    """A route that reads its body strictly and only as JSON, and passes over nothing in its query."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, given a `StrictRequest`."""
        handle = super().get_route_handler()
        takes_body = self.body_field is not None
        parameters = parameters_of(self.dependant)

        async def handle_strictly(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            if "\0" in strict.scope["path"]:
                # NUL is in no id.
                raise NotFound
            check_query(strict.query_params, parameters)
            if takes_body and not _says_json(strict) and await strict.body():
                raise HttpProblem(415, "unsupported_media_type", "Send the body as application/json.")
            return await handle(strict)

        return handle_strictly


def _says_json(request: Request) -> bool:
    essence = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return essence == "application/json" or (essence.startswith("application/") and essence.endswith("+json"))


def parse(body: bytes) -> Any:
    """The JSON value of a body."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_members,
            parse_constant=_refuse_constant,
            parse_float=_number,
            parse_int=_whole,
        )
    except UnicodeDecodeError as error:
        raise malformed("not_utf8", "The body is not UTF-8.") from error
    except json.JSONDecodeError as error:
        raise malformed("malformed_json", "The body is not JSON.") from error
    except RecursionError as error:
        raise _too_deep() from error
    _check_depth(value, body)
    # Both can only arrive as escapes, which are rare: without one there is no need to look at every text.
    if b"\\u0000" in body or b"\\ud" in body or b"\\uD" in body:
        _check_texts(value)
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise malformed("duplicate_member", "A member stands twice in one object.")
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


def _check_depth(value: Any, body: bytes) -> None:
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent) if isinstance(child, (dict, list))]
        if not level:
            return
    raise _too_deep()


def _check_texts(value: Any) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            _check_text(item)
        elif isinstance(item, (dict, list)):
            waiting.extend(_children(item))
            waiting.extend(item if isinstance(item, dict) else ())


def _check_text(text: str) -> None:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise HttpProblem(422, "invalid_character", "A text holds NUL or half a surrogate pair.")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _too_deep() -> HttpProblem:
    return malformed("too_deep", f"The body is nested deeper than {MAX_DEPTH}.")
