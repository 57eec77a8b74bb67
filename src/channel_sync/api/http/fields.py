"""The kinds of members that requests and responses are made of."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictInt,
    StringConstraints,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError, PydanticKnownError
from typing_extensions import TypedDict

from channel_sync.domain.clock import rfc3339
from channel_sync.domain.money import Money
from channel_sync.domain.secrets import Secret, is_mask
from channel_sync.domain.stock import MAX_UNITS, UnitRules

# The largest integer that SQLite and a PostgreSQL bigint can hold.
MAX_INTEGER = 2**63 - 1

# Patterns that Python, the contract and its readers understand alike.
VISIBLE = "^[!-~]+$"
_NO_CONTROLS = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]+$"

_SHORTEST_SECRET = 5
_LONGEST_SECRET = 8192
# Pydantic alone would take numbers too, as seconds or milliseconds since 1970 by their size.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


# The text below a member is what the contract says of it.
DESCRIBED = ConfigDict(use_attribute_docstrings=True)
# A member that the contract does not name is refused.
EXACT = DESCRIBED | ConfigDict(extra="forbid")


class Input(BaseModel):
    """A request body."""

    model_config = EXACT | ConfigDict(frozen=True)


def _usable_secret(secret: SecretStr) -> SecretStr:
    """In words of our own: Pydantic would count the characters of a secret as items, and say how many it has."""
    text = secret.get_secret_value().strip()
    if is_mask(text):
        raise PydanticCustomError("secret_masked", "This is a mask, not the secret itself.")
    if not _SHORTEST_SECRET <= len(text) <= _LONGEST_SECRET:
        raise PydanticCustomError(
            "secret_length", f"A secret has {_SHORTEST_SECRET} to {_LONGEST_SECRET} characters."
        )
    if not re.fullmatch(VISIBLE, text):
        raise PydanticCustomError("secret_characters", "Only visible ASCII characters can be in a secret.")
    return SecretStr(text)


def _written_out(given: object) -> object:
    if not isinstance(given, str) or not _MOMENT.fullmatch(given):
        raise ValueError("Give an RFC 3339 time with its offset, like 2026-11-23T10:15:00Z.")
    return given


def as_sent(most: int) -> BeforeValidator:
    """The text has no more characters than the contract says also before the blanks around it are taken off."""

    def check(given: object) -> object:
        if isinstance(given, str) and len(given) > most:
            raise PydanticKnownError("string_too_long", {"max_length": most})
        return given

    return BeforeValidator(check)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("This moment is out of range.") from None


SecretText = Annotated[
    SecretStr,
    AfterValidator(_usable_secret),
    Field(json_schema_extra={"minLength": _SHORTEST_SECRET, "maxLength": _LONGEST_SECRET}),
]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_NO_CONTROLS),
    as_sent(200),
]
ClientId = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=VISIBLE), as_sent(200)]
Sku = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"\S")]
Units = Annotated[StrictInt, Field(ge=0, le=MAX_UNITS)]
Percent = Annotated[StrictInt, Field(ge=1, le=100)]
Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
Url = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2048, pattern=VISIBLE), as_sent(2048)]
Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_utc)]
Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


def one_of(values: Sequence[str]) -> FieldInfo:
    """The member of an answer has one of these values.

    Only the contract says so. What is told is checked where it is made, and a row that a newer version wrote can
    still be shown by this one.
    """
    info: FieldInfo = Field(json_schema_extra={"enum": list(values)})
    return info


class UnitRulesInput(Input):
    """Rules, all of them: what is left out or null is as the next wider one has it, the SKU or the integration."""

    buffer: Units | None = None
    """So many units are kept back."""
    percent: Percent | None = None
    """The share of what is left after the buffer, rounded down."""
    end_when: Units | None = None
    """Where less than this is left after buffer and share, a listing shows none."""
    maximum: Units | None = None
    """No listing shows more than this."""

    def rules(self) -> UnitRules:
        """What was given."""
        return UnitRules(self.buffer, self.percent, self.end_when, self.maximum)


class MoneyView(TypedDict):
    """An exact amount as decimal text, in an ISO 4217 currency."""

    amount: str
    currency: str


def secret(given: SecretStr | None) -> Secret | None:
    """The secret that was sent, if one was."""
    return None if given is None else Secret(given.get_secret_value())


@lru_cache(maxsize=8192)
def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return rfc3339(moment)


def optional_timestamp(moment: datetime | None) -> str | None:
    """`timestamp`, where there is a moment."""
    return None if moment is None else timestamp(moment)


def money_view(money: Money | None) -> MoneyView | None:
    """The amount as plain decimal text, never in exponent form."""
    return None if money is None else {"amount": f"{money.amount:f}", "currency": money.currency}
