"""Column types: what SQL cannot hold as it is.

They give SQLAlchemy the function that reads a value, not `process_result_value`, which is called through two more
frames: a list of fifty integrations reads a thousand values.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

import msgspec
from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.types import TypeDecorator

from channel_sync.persistence.rows.timestamps import micros, moment

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

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], datetime | None]:
        return _moment_or_none


class MoneyAmount(TypeDecorator[Decimal]):
    """An exact decimal, kept as its digits; its currency is the column beside it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else format(value, "f")

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], Decimal | None]:
        return _decimal_or_none


class OneOf(TypeDecorator[Choice_]):
    """A member of a closed set, kept as its text."""

    impl = Text
    cache_ok = True

    def __init__(self, choices: type[Choice_]) -> None:
        super().__init__()
        self.choices = choices

    def process_bind_param(self, value: Choice_ | None, dialect: Dialect) -> str | None:
        return None if value is None else self.choices(value).value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], Choice_ | None]:
        choices = self.choices
        return lambda value: None if value is None else choices(value)


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

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], Shape | None]:
        decode = self._decoder.decode
        return lambda value: None if value is None else decode(value)


def _moment_or_none(value: int | None) -> datetime | None:
    return None if value is None else moment(value)


def _decimal_or_none(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
