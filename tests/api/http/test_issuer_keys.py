import asyncio

import pytest
from tests.api.signing import AUDIENCE, ISSUER, KEY, OTHER_KEY, Published, token

from channel_sync.api.http.issuer_keys import (
    FIRST_KEYS_AGAIN_S,
    KEYS_LIFETIME_S,
    READ_AGAIN_AFTER_S,
    REFETCH_AFTER_S,
    STALE_PATIENCE_S,
)
from channel_sync.api.http.tokens import Issuer, Tokens
from channel_sync.api.http.unauthorised import Unauthorised
from channel_sync.domain.errors import ChannelUnavailable

AT_ONCE_S = STALE_PATIENCE_S / 2


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def source() -> Published:
    return Published(KEY)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(source, clock) -> Tokens:
    return Tokens(Issuer(ISSUER, AUDIENCE, source), clock)


async def is_good(tokens: Tokens, text: str) -> bool:
    try:
        await tokens.caller(text)
    except Unauthorised:
        return False
    return True


async def settled() -> None:
    """Let what goes on in the background go on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_keys_are_asked_for_once(tokens, source):
    assert all([await is_good(tokens, token()) for _ in range(5)])
    assert source.asked["keys"] == 1


async def test_an_unknown_key_id_asks_again_but_at_most_once_a_minute(tokens, source, clock):
    await tokens.caller(token())
    source.published.append(OTHER_KEY)
    assert not any([await is_good(tokens, token(OTHER_KEY)) for _ in range(5)])
    assert source.asked["keys"] == 1
    clock.now += REFETCH_AFTER_S + 1
    assert await is_good(tokens, token(OTHER_KEY))
    assert source.asked["keys"] == 2


async def test_a_key_that_is_no_longer_published_stops_being_good(tokens, source, clock):
    assert await is_good(tokens, token())
    source.published = [OTHER_KEY]
    clock.now += KEYS_LIFETIME_S + 1
    assert not await is_good(tokens, token())


async def test_keys_in_use_are_read_again_before_they_are_old(tokens, source, clock):
    await tokens.caller(token())
    source.published = [OTHER_KEY]
    clock.now += READ_AGAIN_AFTER_S + 1
    assert await is_good(tokens, token())
    await settled()
    assert not await is_good(tokens, token())


async def test_while_the_issuer_is_away_the_keys_at_hand_go_on_working(tokens, source, clock):
    await tokens.caller(token())
    source.away = True
    clock.now += KEYS_LIFETIME_S + 1
    assert await is_good(tokens, token())


async def test_an_issuer_that_is_away_from_the_start_is_asked_once_for_all_who_wait(tokens, source, clock):
    source.away = True
    answers = await asyncio.gather(*(tokens.caller(token()) for _ in range(5)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {ChannelUnavailable}
    assert source.asked["keys"] == 1
    source.away = False
    clock.now += FIRST_KEYS_AGAIN_S + 1
    assert await is_good(tokens, token())


async def test_an_issuer_that_hangs_delays_nobody_whose_key_is_known(tokens, source, clock):
    await tokens.caller(token())
    source.answering.clear()
    clock.now += REFETCH_AFTER_S + 1
    strangers = [asyncio.create_task(is_good(tokens, token(OTHER_KEY))) for _ in range(5)]
    await settled()
    async with asyncio.timeout(AT_ONCE_S):
        assert all([await is_good(tokens, token()) for _ in range(20)])
    assert not any(stranger.done() for stranger in strangers)
    assert source.asked["keys"] == 2
    source.answering.set()
    assert not any(await asyncio.gather(*strangers))


async def test_an_issuer_that_hangs_while_the_keys_grow_old_delays_nobody(tokens, source, clock):
    await tokens.caller(token())
    source.answering.clear()
    async with asyncio.timeout(AT_ONCE_S):
        for _ in range(10):
            clock.now += READ_AGAIN_AFTER_S + 1
            assert await is_good(tokens, token())
    source.answering.set()


async def test_keys_that_nobody_used_for_long_wait_a_moment_for_an_issuer_that_hangs(tokens, source, clock):
    await tokens.caller(token())
    source.answering.clear()
    clock.now += KEYS_LIFETIME_S + 1
    async with asyncio.timeout(STALE_PATIENCE_S + AT_ONCE_S):
        assert await is_good(tokens, token())
    source.answering.set()


async def test_a_caller_who_goes_away_does_not_end_the_request_that_others_wait_for(tokens, source):
    source.answering.clear()
    first, second = (asyncio.create_task(is_good(tokens, token())) for _ in range(2))
    await settled()
    first.cancel()
    await settled()
    source.answering.set()
    assert await second
    assert source.asked["keys"] == 1


@pytest.mark.parametrize(
    "other", [{"kty": "AKP", "alg": "ML-DSA-44"}, {"kty": "EC", "crv": "P-999"}, {"kty": "RSA"}, {}, 7, None, []]
)
async def test_a_key_that_we_cannot_use_stands_in_nobodys_way(tokens, source, other):
    source.others = [other]
    assert await is_good(tokens, token())


async def test_an_issuer_without_a_usable_key_is_an_outage(tokens, source):
    source.published = []
    with pytest.raises(ChannelUnavailable):
        await tokens.caller(token())
