"""Column types: what SQL cannot hold as it is."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

import msgspec
from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.types import TypeDecorator

from channel_sync.persistence.moments import micros, moment

Choice_ = TypeVar("Choice_", bound=StrEnum)
Shape = TypeVar("Shape")


class Utc(TypeDecorator[datetime]):
    """An aware UTC moment, kept as whole microseconds since 1970.

    SQLite would give a naive datetime back, so that every order looked changed on every pass. A number is
    the same on both databases, is exact, and sorts.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else moment(value)


class MoneyAmount(TypeDecorator[Decimal]):
    """An exact decimal, kept as its digits; its currency is the column beside it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class OneOf(TypeDecorator[Choice_]):
    """A member of a closed set, kept as its text."""

    impl = Text
    cache_ok = True

    def __init__(self, choices: type[Choice_]) -> None:
        super().__init__()
        self.choices = choices

    def process_bind_param(self, value: Choice_ | None, dialect: Dialect) -> str | None:
        return None if value is None else self.choices(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Choice_ | None:
        return None if value is None else self.choices(value)


class Document(TypeDecorator[Shape]):
    """A value as JSON text, read back into its type. Members it had not yet when it was written get defaults."""

    impl = Text
    cache_ok = True

    def __init__(self, shape: type[Shape]) -> None:
        super().__init__()
        self.shape = shape
        self._decoder = msgspec.json.Decoder(shape)

    def process_bind_param(self, value: Shape | None, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Shape | None:
        return None if value is None else self._decoder.decode(value)
