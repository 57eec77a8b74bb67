"""What of a request cannot be used, and where it stands. The value itself is never repeated."""

import re
from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any, NotRequired

from typing_extensions import TypedDict

MAX_FIELD_ERRORS = 20

# A name that nobody of us chose is told if it can be a mistyped member: short and made of letters. Anything longer
# or odder may be a secret, an address or an attack that has slipped into the place of a name.
_TELLABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,29}")


class FieldError(TypedDict):
    """One thing of the request that cannot be used.

    It says where that stands: as a JSON `pointer` into the body, or as the name of a `parameter` of the query, or
    of a `header`. An empty one means all of it.
    """

    pointer: NotRequired[str]
    parameter: NotRequired[str]
    header: NotRequired[str]
    code: str
    message: str


def in_body(pointer: str, code: str, message: str) -> FieldError:
    """Something in the body."""
    return {"pointer": pointer, "code": code, "message": message}


def in_query(parameter: str, code: str, message: str) -> FieldError:
    """Something in the query."""
    return {"parameter": parameter, "code": code, "message": message}


def field_errors(found: Iterable[Mapping[str, Any]]) -> list[FieldError]:
    """The errors of a validation, the first twenty of them."""
    return [_field_error(item) for item, _ in zip(found, range(MAX_FIELD_ERRORS), strict=False)]


def told(name: str) -> str:
    """The name if it may be repeated, else nothing."""
    return name if _TELLABLE.fullmatch(name) else ""


def _is_tellable(part: str | int) -> bool:
    """Names are free in some members: where one may not be told, the pointer ends before it."""
    return isinstance(part, int) or told(part) != ""


def _field_error(item: Mapping[str, Any]) -> FieldError:
    place, *path = item["loc"]
    code, message = str(item["type"]), str(item["msg"]).removeprefix("Value error, ")
    if code == "extra_forbidden":
        path, message = _unknown(path)
    if place == "body":
        return in_body("".join(f"/{part}" for part in takewhile(_is_tellable, path)), code, message)
    name = str(path[0]) if path else ""
    if place == "header":
        return {"header": name, "code": code, "message": message}
    return in_query(name, code, message)


def _unknown(path: list[Any]) -> tuple[list[Any], str]:
    """The member that nobody knows, or where its name may not be told the object that holds it."""
    *holder, name = path
    if told(str(name)):
        return path, "There is no such member."
    return holder, "There is an unknown member here."
