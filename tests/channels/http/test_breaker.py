import pytest

from channel_sync.channels.http.breaker import (
    FAILURES_TO_OPEN,
    MOST_SHOPS,
    SHOPS_TO_OPEN_FOR_ALL,
    TRIAL_EVERY_S,
    Breaker,
)
from channel_sync.domain.errors import ChannelUnavailable

SHOP, OTHER = "int_1", "int_2"


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def an_open_breaker(clock, shops=(SHOP,)):
    breaker = Breaker(clock)
    for number in range(FAILURES_TO_OPEN * len(shops)):
        breaker.failed(shops[number % len(shops)])
    return breaker


def is_open(breaker, shop):
    try:
        breaker.check(shop)
    except ChannelUnavailable:
        return True
    return False


def test_an_open_breaker_says_when_to_come_back():
    clock = Clock()
    breaker = an_open_breaker(clock)
    clock.now += 10
    with pytest.raises(ChannelUnavailable) as raised:
        breaker.check(SHOP)
    assert raised.value.code == "marketplace_unavailable"
    assert raised.value.retry_after_s == pytest.approx(20)
    assert "this shop" in raised.value.message


def test_one_trial_in_thirty_seconds_while_a_shop_gets_no_answers():
    clock = Clock()
    breaker, trials = an_open_breaker(clock), 0
    for _ in range(120):
        clock.now += 1
        if is_open(breaker, SHOP):
            continue
        trials += 1
        breaker.failed(SHOP)
    assert trials == 4


def test_what_one_shop_is_answered_stops_no_other():
    clock = Clock()
    breaker = an_open_breaker(clock)
    for _ in range(50):
        breaker.failed(SHOP)

    assert is_open(breaker, SHOP)
    assert not any(is_open(breaker, OTHER) for _ in range(50))


def test_an_answer_to_another_shop_does_not_close_it():
    clock = Clock()
    breaker = an_open_breaker(clock)
    breaker.answered(OTHER)
    breaker.answered()

    assert is_open(breaker, SHOP)


def test_the_first_answer_closes_it():
    clock = Clock()
    breaker = an_open_breaker(clock)
    clock.now += TRIAL_EVERY_S
    assert not is_open(breaker, SHOP)

    breaker.answered(SHOP)
    for _ in range(FAILURES_TO_OPEN - 1):
        breaker.failed(SHOP)

    assert not is_open(breaker, SHOP)


def test_failures_with_answers_between_them_keep_it_closed():
    breaker = Breaker(Clock())
    for _ in range(50):
        breaker.failed(SHOP)
        breaker.answered(SHOP)
        assert not is_open(breaker, SHOP)


def test_two_shops_without_answers_are_no_outage_of_the_marketplace():
    breaker = an_open_breaker(Clock(), ("int_a", "int_b"))

    assert not is_open(breaker, OTHER)


def test_shops_without_answers_and_none_between_are_an_outage_for_all_with_one_trial():
    clock = Clock()
    breaker = an_open_breaker(clock, [f"int_{number}" for number in range(10, 10 + SHOPS_TO_OPEN_FOR_ALL)])
    with pytest.raises(ChannelUnavailable, match="several shops"):
        breaker.check(OTHER)

    clock.now += TRIAL_EVERY_S

    assert [is_open(breaker, shop) for shop in (OTHER, SHOP, "int_3")] == [False, True, True]


@pytest.mark.parametrize("answered", [OTHER, None])
def test_any_answer_ends_the_outage_for_all(answered):
    clock = Clock()
    breaker = an_open_breaker(clock, ("int_a", "int_b", "int_c"))
    breaker.answered(answered)

    assert not is_open(breaker, SHOP)
    breaker.failed(SHOP)
    assert not is_open(breaker, OTHER)


def test_a_persons_own_call_is_the_trial_whenever_it_comes():
    clock = Clock()
    breaker = an_open_breaker(clock, (SHOP, "int_a", "int_b"))
    clock.now += TRIAL_EVERY_S - 1
    breaker.check(SHOP, by_person=True)
    clock.now += 1

    assert is_open(breaker, SHOP)
    breaker.answered(SHOP)
    assert not is_open(breaker, SHOP)


def test_it_remembers_so_many_shops_and_no_more():
    clock = Clock()
    breaker = an_open_breaker(clock)
    for number in range(MOST_SHOPS):
        breaker.failed(f"int_x{number}")
        breaker.answered()

    assert not is_open(breaker, SHOP)
