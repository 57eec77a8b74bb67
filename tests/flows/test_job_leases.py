from datetime import timedelta

import time_machine

from channel_sync.domain.clock import utcnow
from channel_sync.flows.job_leases import JobLeases
from channel_sync.persistence.database import Database


async def test_of_two_processes_one_does_a_job_and_the_other_a_round_later(postgres_database: Database):
    one, other = JobLeases(postgres_database), JobLeases(postgres_database)

    assert [await leases.take("prune", 60) for leases in (one, other, one)] == [True, False, False]
    with time_machine.travel(utcnow() + timedelta(seconds=55), tick=True):
        assert [await leases.take("prune", 60) for leases in (other, one)] == [True, False]


async def test_each_job_has_turns_of_its_own(postgres_database: Database):
    leases = JobLeases(postgres_database)

    assert await leases.take("prune", 60)
    assert await leases.take("renew", 60)


async def test_the_store_of_a_single_process_gives_it_every_turn(sqlite_database: Database):
    leases = JobLeases(sqlite_database)

    assert [await leases.take("prune", 60) for _ in range(3)] == [True] * 3
