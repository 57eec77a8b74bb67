from datetime import UTC, datetime, timedelta

import pytest

from channel_sync.domain.freshness import orders_lag_s

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("seen_until", "cursor", "lag_s"),
    [
        (None, None, None),
        (ago(40), ago(86_400), 40),
        (ago(9000), ago(120), 120),
        (None, ago(86_400), 86_400),
        (ago(9000.9), ago(-86_400), 9000),
        (None, ago(-1), None),
    ],
    ids=["nothing known", "a quiet shop", "a long download", "before the first look", "dated ahead", "only ahead"],
)
def test_orders_lag_by_what_may_be_missing(seen_until, cursor, lag_s):
    assert orders_lag_s(seen_until, cursor, NOW) == lag_s
