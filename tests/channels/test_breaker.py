import pytest

from channel_sync.channels.wish.breaker import FAILURES_TO_OPEN, Breaker
from channel_sync.domain.errors import ChannelUnavailable


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def an_open_breaker(clock):
    breaker = Breaker(clock)
    for _ in range(FAILURES_TO_OPEN):
        breaker.check()
        breaker.failed()
    return breaker


def test_an_open_breaker_says_when_to_come_back():
    clock = Clock()
    breaker = an_open_breaker(clock)
    clock.now += 10
    with pytest.raises(ChannelUnavailable) as raised:
        breaker.check()
    assert raised.value.code == "marketplace_unavailable"
    assert raised.value.retry_after_s == pytest.approx(20)


def test_one_probe_in_thirty_seconds_while_wish_is_down():
    clock = Clock()
    breaker, probes = an_open_breaker(clock), 0
    for _ in range(120):
        clock.now += 1
        try:
            breaker.check()
        except ChannelUnavailable:
            continue
        probes += 1
        breaker.failed()
    assert probes == 4


def test_the_first_answer_closes_it():
    clock = Clock()
    breaker = an_open_breaker(clock)
    clock.now += 31
    breaker.check()
    breaker.answered()
    for _ in range(FAILURES_TO_OPEN - 1):
        breaker.failed()
    breaker.check()


def test_failures_with_answers_between_them_keep_it_closed():
    breaker = Breaker(Clock())
    for _ in range(50):
        breaker.failed()
        breaker.answered()
        breaker.check()
