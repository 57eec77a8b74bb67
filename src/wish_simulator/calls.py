"""One call as the operations of the merchant API see it, and what they answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from wish_simulator.clock import parsed
from wish_simulator.documents import to_bytes
from wish_simulator.fields import parsed_selection, select
from wish_simulator.grants import AccessToken
from wish_simulator.ids import is_object_id
from wish_simulator.marketplace import Marketplace
from wish_simulator.refusals import UnknownId, invalid
from wish_simulator.shop import Shop


@dataclass(frozen=True)
class Call:
    """A call whose token and scope are in order. Query names nobody asks for are ignored, as Wish seems to do."""

    market: Marketplace
    method: str
    path: dict[str, str]
    query: QueryParams
    body: bytes
    base_url: str
    token: AccessToken | None

    @property
    def grant_token(self) -> AccessToken:
        if self.token is None:
            raise LookupError("this operation takes no token")
        return self.token

    @property
    def shop(self) -> Shop:
        return self.market.shops[self.grant_token.grant.merchant.id]

    def id_of(self, what: str) -> str:
        if not is_object_id(self.path["id"]):
            raise UnknownId(what)
        return self.path["id"]

    def integer(self, name: str, default: int, largest: int | None = None) -> int:
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or int(text) < 1:
            raise invalid(f"{name} must be a positive integer")
        if largest is not None and int(text) > largest:
            raise invalid(f"{name} must be at most {largest}")
        return int(text)

    def time(self, name: str, default: int) -> int:
        text = self.query.get(name)
        if text is None:
            return default
        try:
            return parsed(text)
        except ValueError as error:
            raise invalid(f"{name} is not a time") from error

    def one_of(self, name: str, allowed: tuple[str, ...]) -> str | None:
        text = self.query.get(name)
        if text is not None and text not in allowed:
            raise invalid(f"{name} must be one of {', '.join(allowed)}")
        return text

    def several_of(self, name: str, allowed: tuple[str, ...]) -> frozenset[str] | None:
        """Repeated names and comma lists alike: no source says which of them Wish wants."""
        values = [value for text in self.query.getlist(name) for value in text.split(",")]
        if not set(values) <= set(allowed):
            raise invalid(f"{name} may hold {', '.join(allowed)}")
        return frozenset(values) or None

    def sort_by(self, default: str, names: tuple[str, ...]) -> tuple[str, bool]:
        """The member to sort by and whether downwards; a bare name sorts upwards (not published)."""
        name, _, direction = self.query.get("sort_by", default).partition(".")
        if name not in names or direction not in ("", "asc", "desc"):
            raise invalid("sort_by is not valid")
        return name, direction == "desc"


Answer = bytes | list[bytes] | None
"""The JSON of `data`, or of each element of it, or None for 204."""

Serve = Callable[[Call], Answer]


@dataclass(frozen=True)
class Operation:
    """A path of the merchant API. Without a scope any valid token will do; open operations take none."""

    method: str
    path: str
    serve: Serve
    scope: str | None = None
    is_open: bool = False


def answered(call: Call, value: Any) -> bytes:
    """The value, or the part of it that `fields` selects when something is read."""
    fields = call.query.get("fields") if call.method == "GET" else None
    return to_bytes(value if fields is None else select(value, parsed_selection(fields)))
