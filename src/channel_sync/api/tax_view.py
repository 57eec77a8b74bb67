"""Tax details: the marketplace's own members, but money as everywhere in this API."""

from decimal import Decimal
from typing import Any

import msgspec

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_MONEY = {"amount", "currency_code"}


def tax_view(kept: bytes) -> dict[str, Any]:
    """The kept JSON object with every amount as exact text beside its currency."""
    view = _shown(_decode(kept))
    return view if isinstance(view, dict) else {"value": view}


def _shown(value: Any) -> Any:
    match value:
        case dict() if value.keys() == _MONEY and isinstance(value["amount"], int | Decimal):
            return {"amount": format(Decimal(value["amount"]), "f"), "currency": value["currency_code"]}
        case dict():
            return {name: _shown(member) for name, member in value.items()}
        case list():
            return [_shown(member) for member in value]
        case Decimal():
            return float(value)  # a weight or a rate
        case _:
            return value
