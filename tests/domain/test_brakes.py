import pytest

from channel_sync.domain.brakes import is_too_much


@pytest.mark.parametrize(
    ("emptied", "listings", "percent", "stops"),
    [
        (20, 20, 50, True),
        (19, 19, 50, False),
        (20, 40, 50, False),
        (21, 41, 50, True),
        (1000, 1000, 100, False),
        (20, 1000, 1, True),
        (20, 0, 50, True),
    ],
)
def test_a_push_may_empty_few_listings_or_a_small_share(emptied, listings, percent, stops):
    assert is_too_much(emptied, listings, percent) is stops
