import pytest

from channel_sync.domain.errors import StaleVersion, StorageUnavailable
from channel_sync.flows.retries import until_stored, while_stale


class Step:
    """Raises what it is given, one after the other, then comes to an end."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.tries = 0

    async def __call__(self) -> str:
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


async def test_what_somebody_saved_in_between_is_read_again():
    step = Step(StaleVersion(), StaleVersion())

    assert await while_stale(step) == "done"
    assert step.tries == 3


async def test_who_is_always_overtaken_is_told_after_eight_tries():
    step = Step(*[StaleVersion()] * 20)

    with pytest.raises(StaleVersion):
        await while_stale(step)
    assert step.tries == 8


async def test_another_error_is_not_tried_again():
    for again in (while_stale, lambda step: until_stored(step, 5)):
        step = Step(KeyError())
        with pytest.raises(KeyError):
            await again(step)
        assert step.tries == 1


async def test_a_store_that_is_away_is_waited_for():
    step = Step(StorageUnavailable())

    assert await until_stored(step, patience_s=5) == "done"
    assert step.tries == 2


async def test_a_store_that_stays_away_ends_the_patience():
    step = Step(*[StorageUnavailable()] * 20)

    with pytest.raises(StorageUnavailable):
        await until_stored(step, patience_s=0)
    assert step.tries == 1
