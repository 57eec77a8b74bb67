"""Tax information: kept as Wish wrote it, if it is of a size that everyone after us can read.

It has to reach the customs declaration of a parcel, so it is never cut: an order whose tax information is beyond
its caps is held.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from channel_sync.channels.wish.caps import MOST_DIGITS, MOST_TAX_BYTES, MOST_TAX_DEPTH
from channel_sync.channels.wish.lenient import Unfit, flaw_of
from channel_sync.domain.orders import Flaw

_POINTER = "/tax_information"
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
# Digits are one as another then, and so are brackets.
_ALIKE = bytes.maketrans(b"123456789E[", b"000000000e{")
_SIGNS = b"+-"
_MANY_DIGITS = b"0" * (MOST_DIGITS + 1)
_HIGH_EXPONENT = b"e000"
_MOST_EXPONENT = 99


def tax_of(text: bytes) -> bytes | None:
    """The tax information, or None where there is none; `Unfit` where it is beyond its caps."""
    if text in (b"", b"null"):
        return None
    if len(text) > MOST_TAX_BYTES:
        raise Unfit(Flaw.TOO_LARGE, _POINTER)
    if not _is_plain(text):
        _look_closely(text)
    return text


def _is_plain(text: bytes) -> bool:
    """Whether a glance tells that nothing is too deep or too long, as it does for nearly all."""
    alike = text.translate(_ALIKE, _SIGNS)
    has_few_levels = alike.count(b"{") <= MOST_TAX_DEPTH
    return has_few_levels and _MANY_DIGITS not in alike and _HIGH_EXPONENT not in alike


def _look_closely(text: bytes) -> None:
    try:
        values = [_DECODER.decode(text)]
    except (ValueError, RecursionError) as error:
        raise Unfit(flaw_of(error), _POINTER) from None
    for _ in range(MOST_TAX_DEPTH + 1):
        for number in values:
            if isinstance(number, int | Decimal) and not _is_amount(number):
                raise Unfit(Flaw.BAD_AMOUNT, _POINTER)
        values = list(_inside(values))
        if not values:
            return
    raise Unfit(Flaw.TOO_DEEP, _POINTER)


def _inside(values: list[Any]) -> Iterator[Any]:
    """What the objects and arrays among the values hold."""
    for value in values:
        match value:
            case dict():
                yield from value.values()
            case list():
                yield from value


def _is_amount(number: int | Decimal) -> bool:
    _, digits, exponent = Decimal(number).as_tuple()
    return len(digits) <= MOST_DIGITS and isinstance(exponent, int) and abs(exponent) <= _MOST_EXPONENT
