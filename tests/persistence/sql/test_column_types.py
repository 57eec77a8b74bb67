from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from channel_sync.domain.integrations import IntegrationSettings
from channel_sync.domain.runs import RunKind
from channel_sync.domain.stock import StockSettings
from channel_sync.persistence.rows.timestamps import micros, moment
from channel_sync.persistence.sql.column_types import Document, MoneyAmount, OneOf, Utc

DIALECT = sqlite.dialect()


def read(column, stored, dialect=DIALECT):
    return column.result_processor(dialect, None)(stored)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_comes_back_aware_and_exact(at):
    assert moment(micros(at)) == at
    assert moment(micros(at)).tzinfo is UTC


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_stored_moments_sort_like_moments(one, other):
    assert (micros(one) < micros(other)) == (one < other)


def test_a_moment_of_another_zone_is_the_same_moment():
    here = datetime(2026, 11, 23, 17, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))

    assert moment(micros(here)) == datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_a_naive_moment_is_refused():
    with pytest.raises(TypeError):
        Utc().process_bind_param(datetime.now(UTC).replace(tzinfo=None), DIALECT)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_an_amount_comes_back_exact(amount):
    stored = MoneyAmount().process_bind_param(amount, DIALECT)

    assert read(MoneyAmount(), stored) == amount


@pytest.mark.parametrize("amount", ["0.10", "-0.01", "12345678901234567890.12", "1E+2", "1.250"])
def test_an_amount_is_stored_as_plain_digits(amount):
    stored = MoneyAmount().process_bind_param(Decimal(amount), DIALECT)

    assert stored is not None
    assert "E" not in stored
    assert Decimal(stored) == Decimal(amount)


def test_a_choice_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="shipping"):
        read(OneOf(RunKind), "shipping", postgresql.dialect())


def test_a_document_of_an_older_release_gets_defaults():
    stored = read(Document(IntegrationSettings), '{"stock":{"buffer":2}}')

    assert stored == IntegrationSettings(stock=StockSettings(buffer=2))


@pytest.mark.parametrize("column", [Utc(), MoneyAmount(), OneOf(RunKind), Document(IntegrationSettings)])
def test_nothing_stays_nothing(column):
    assert column.process_bind_param(None, DIALECT) is None
    assert read(column, None) is None
