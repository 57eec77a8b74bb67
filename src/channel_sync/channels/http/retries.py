"""How often a call is repeated on the spot (after the published v3 document 3.0.65, July 2026)."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from channel_sync.domain.calls import CallContext
from channel_sync.domain.errors import ChannelUnavailable, CircuitOpen, RateLimited

T = TypeVar("T")
TRIES = 3
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0


async def with_retries(
    call: Callable[[], Awaitable[T]], is_repeatable: bool, context: CallContext, jitter: Callable[[float], float]
) -> T:
    """The call's result after at most three tries, with full jitter between them.

    A call that was refused for its rate did nothing, so it is always repeatable; the budget does the waiting.
    """
    for attempt in range(TRIES - 1):
        try:
            return await call()
        except ChannelUnavailable as error:
            if isinstance(error, CircuitOpen) or not _is_soon(error.retry_after_s):
                raise
            if isinstance(error, RateLimited):
                continue
            if not is_repeatable:
                raise
            await context.sleep(error.retry_after_s or jitter(FIRST_DELAY_S * 2**attempt))
    return await call()


def _is_soon(seconds: float | None) -> bool:
    return seconds is None or seconds <= LONGEST_DELAY_S
