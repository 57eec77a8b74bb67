from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from channel_sync.channels.wish.times import as_utc, query_time, wait_from_headers

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
SOON = NOW + timedelta(seconds=7)


@pytest.mark.parametrize(
    "text",
    [
        str(int(SOON.timestamp())),
        str(int(SOON.timestamp() * 1000)),
        "7",
        "7.0",
        " 7 ",
        SOON.isoformat(),
        "2026-11-20T12:00:07Z",
        "2026-11-20T12:00:07",
        format_datetime(SOON, usegmt=True),
    ],
)
def test_every_format_of_the_reset_header_means_the_same_seven_seconds(text):
    assert wait_from_headers(text, None, NOW) == pytest.approx(7)


@pytest.mark.parametrize("text", ["soon", "", "nan", "inf", "1e999", "-", "9" * 5000, "2026-99-99", "☃"])
def test_a_reset_nobody_understands_is_no_answer(text):
    assert wait_from_headers(text, None, NOW) is None


def test_garbage_in_one_header_leaves_the_other_in_force():
    assert wait_from_headers("soon", "9", NOW) == 9
    assert wait_from_headers(None, format_datetime(SOON, usegmt=True), NOW) == 7


@pytest.mark.parametrize("text", ["0", "-5", "1", "2020-01-01T00:00:00Z", "1577836800", "1577836800000"])
def test_a_reset_in_the_past_still_means_a_second(text):
    assert wait_from_headers(text, None, NOW) == 1


@pytest.mark.parametrize("text", ["3600", "86400", "2036-01-01T00:00:00Z", "2080000000", "2080000000000"])
def test_a_reset_far_away_means_ten_minutes(text):
    assert wait_from_headers(text, None, NOW) == 600


def test_times_without_an_offset_are_utc():
    assert as_utc(NOW.replace(tzinfo=None)) == NOW
    assert as_utc(datetime(2026, 1, 1, 5, tzinfo=timezone(timedelta(hours=5)))).hour == 0


def test_query_times_carry_milliseconds_and_keep_finer_ones():
    assert query_time(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"
    assert query_time(datetime(2026, 1, 1, microsecond=123456, tzinfo=UTC)) == "2026-01-01T00:00:00.123456Z"
    assert query_time(datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-01T00:00:00.000Z"
