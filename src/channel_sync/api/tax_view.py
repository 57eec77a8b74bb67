"""Tax details: the marketplace's own members, but money as everywhere in this API.

What is stored now is bounded when it arrives. What was stored before may be nested, long or large without bound:
as much of it is shown as a reader can take.
"""

import json
from decimal import Decimal
from math import isfinite
from typing import Any

_MONEY = {"amount", "currency_code"}
# Most members are one of these, and shown as they are: a call less for each.
_PLAIN = frozenset((str, int, bool, type(None)))
_DEEPEST = 40
_MOST_BYTES = 256 * 1024
# What a reader takes for a number; what is longer is shown as text, with its exponent where it has one.
_MOST_DIGITS = 40


def tax_view(kept: bytes) -> dict[str, Any]:
    """The kept JSON object with every amount as exact text beside its currency."""
    view = _shown(_read(kept), 0)
    return view if isinstance(view, dict) else {"value": view}


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= _MOST_DIGITS else text


_DECODER = json.JSONDecoder(parse_int=_whole, parse_float=Decimal, parse_constant=str)


def _read(kept: bytes) -> Any:
    if len(kept) > _MOST_BYTES:
        return None
    try:
        return _DECODER.decode(kept.decode(errors="surrogatepass"))
    except (ValueError, RecursionError):
        return None


def _shown(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        return None
    match value:
        case dict() if value.keys() == _MONEY and isinstance(value["amount"], int | Decimal):
            return {"amount": _plain(Decimal(value["amount"])), "currency": value["currency_code"]}
        case dict():
            return {
                name: member if type(member) in _PLAIN else _shown(member, depth + 1)
                for name, member in value.items()
            }
        case list():
            return [_shown(member, depth + 1) for member in value]
        case Decimal():
            return _number(value)
        case _:
            return value


def _plain(amount: Decimal) -> str:
    """Without an exponent, as long as that takes no more digits than an amount has."""
    return format(amount, "f") if _is_short(amount) else str(amount)


def _number(value: Decimal) -> float | str:
    """A weight or a rate."""
    number = float(value) if _is_short(value) else float("nan")
    return number if isfinite(number) else str(value)


def _is_short(value: Decimal) -> bool:
    _, digits, exponent = value.as_tuple()
    return isinstance(exponent, int) and len(digits) + abs(exponent) <= 3 * _MOST_DIGITS
