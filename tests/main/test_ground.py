from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from channel_sync.main.ground import check_clock
from channel_sync.process import CannotStart


async def test_a_clock_that_is_right_is_no_matter(database):
    await check_clock(database, lease_s=60)


@pytest.mark.parametrize("wrong", [timedelta(seconds=20), -timedelta(seconds=20)])
async def test_a_clock_that_would_take_the_living_for_dead_is_refused(postgres_database, wrong):
    with time_machine.travel(datetime.now(UTC) + wrong, tick=True):
        await check_clock(postgres_database, lease_s=120)
        with pytest.raises(CannotStart, match="clock is 20 s away"):
            await check_clock(postgres_database, lease_s=60)


async def test_a_single_process_has_no_other_clock_to_differ_from(sqlite_database):
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1), tick=True):
        await check_clock(sqlite_database, lease_s=5)
