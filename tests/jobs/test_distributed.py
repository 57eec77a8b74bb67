import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text
from tests.flows.goods import an_order
from tests.flows.workshop import Workshop
from tests.jobs.waiting import has_orders, is_finished, until

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import StorageUnavailable
from channel_sync.domain.runs import Lane, Outcome, RunKind, RunRequest, RunStatus, Trigger
from channel_sync.flows.scheduling.opening import queued_run
from channel_sync.jobs.dispatch import Dispatcher
from channel_sync.jobs.distributed import EngineQueue, Worker
from channel_sync.jobs.queue_connection import QueueConnection
from channel_sync.jobs.schedule import JOBS, JOBS_OF_WORKERS, Job
from channel_sync.persistence.database import Database
from channel_sync.persistence.queue_log import forget_queue_log


@pytest.fixture
async def database(app_url, cipher) -> AsyncIterator[Database]:
    """A PostgreSQL that tells the engine of runs."""
    database = Database(app_url, cipher, queue=EngineQueue())
    yield database
    await database.close()


@pytest.fixture
def workshop(database) -> Workshop:
    """The process that answers requests."""
    return Workshop(database, owner="api")


@asynccontextmanager
async def workers(
    url: str, workshop: Workshop, number: int = 1, jobs: tuple[Job, ...] = (), concurrency: int = 8
) -> AsyncIterator[list[Workshop]]:
    """Workers beside the workshop, each with connections of its own."""
    async with AsyncExitStack() as working:
        found = []
        for place in range(number):
            database = Database(url, workshop.database.cipher, queue=EngineQueue())
            working.push_async_callback(database.close)
            shop = Workshop(database, workshop.channel, f"worker-{place}")
            worker = Worker(shop.work, jobs, concurrency, QueueConnection(url), lease_s=5)
            await worker.start()
            working.push_async_callback(worker.stop, 2)
            found.append(shop)
        yield found


async def in_queue(workshop: Workshop, column: str = "entrypoint") -> list[str]:
    async with workshop.database.session() as session:
        return await session.column(text(f"SELECT {column} FROM pgqueuer ORDER BY id"))


async def test_a_run_that_is_asked_for_is_carried_out_by_a_worker(workshop: Workshop, app_url):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1))
    async with workers(app_url, workshop):
        run = await workshop.queue(seller)
        await until(partial(is_finished, workshop, run.id))

    done = await workshop.look(run)
    assert (done.outcome, done.owner) == (Outcome.SUCCESS, "worker-0")
    assert await in_queue(workshop) == []


async def test_a_run_starts_within_a_second_of_being_asked_for(workshop: Workshop, app_url):
    seller = await workshop.connect()
    async with workers(app_url, workshop):
        await until(partial(is_finished, workshop, (await workshop.queue(seller)).id))
        await asyncio.sleep(0.6)
        run = await workshop.queue(seller)
        await until(partial(is_finished, workshop, run.id), within_s=1)

    assert (await workshop.look(run)).outcome is Outcome.NO_CHANGES


async def test_the_queue_knows_a_run_by_its_id_alone_and_only_if_it_is_stored(workshop: Workshop):
    seller = await workshop.connect()
    run = await workshop.queue(seller)
    with suppress(StorageUnavailable):
        async with workshop.database.begin() as work:
            request = RunRequest(seller.id, RunKind.STOCK, Trigger.SCHEDULE)
            await work.runs.open(queued_run(seller, request, utcnow()))
            raise StorageUnavailable

    assert await in_queue(workshop, "convert_from(payload, 'UTF8')") == [run.id]
    assert await in_queue(workshop, "coalesce(headers::text)") == ["null"]


async def test_many_workers_carry_out_each_run_once(workshop: Workshop, app_url):
    async with workers(app_url, workshop, 3):
        runs = [await workshop.queue(await workshop.connect(f"m{number}")) for number in range(12)]
        for run in runs:
            await until(partial(is_finished, workshop, run.id))

    assert workshop.channel.calls["orders"] == 12
    assert {(await workshop.look(run)).outcome for run in runs} == {Outcome.NO_CHANGES}


async def test_the_clocks_of_all_workers_start_what_is_due_once(workshop: Workshop, app_url):
    sellers = [await workshop.connect(f"m{number}") for number in range(4)]
    async with workshop.database.begin() as work:
        for seller in sellers:
            await work.schedules.hurry(seller.id, RunKind.ORDERS, seller.created_at)
    async with workers(app_url, workshop, 3, JOBS_OF_WORKERS):
        for seller in sellers:
            await until(partial(has_succeeded, workshop, seller.id))
        await asyncio.sleep(1.5)

    assert workshop.channel.calls["orders"] == 4


async def test_a_chore_is_done_by_one_worker_at_a_time(workshop: Workshop, app_url):
    done: list[float] = []

    async def note(_work: object) -> None:
        done.append(asyncio.get_running_loop().time())

    async def four_times() -> bool:
        return len(done) >= 4

    async with workers(app_url, workshop, 3, (Job("note", 0.5, note, exclusive=True),)):
        await until(four_times)

    assert min(later - earlier for earlier, later in itertools.pairwise(done)) > 0.2
    # Each time for itself may be late by nearly a turn; three workers on their own would need one turn.
    assert done[3] - done[0] > 0.9


async def test_what_a_person_asks_for_does_not_wait_behind_the_schedule(workshop: Workshop, app_url):
    workshop.channel.delays["orders"] = 3
    sellers = [await workshop.connect(f"m{number}") for number in range(9)]
    scheduled = [await workshop.queue(seller, trigger=Trigger.SCHEDULE) for seller in sellers]
    async with workers(app_url, workshop, concurrency=2):
        await until(partial(are_running, workshop, 2))
        person = await workshop.queue(sellers[8], RunKind.STOCK)
        await until(partial(is_finished, workshop, person.id), within_s=1)
        assert not any([await is_finished(workshop, run.id) for run in scheduled])


async def test_a_scheduled_run_that_somebody_asks_for_changes_to_the_urgent_lane(workshop: Workshop):
    seller = await workshop.connect()
    scheduled = await workshop.queue(seller, trigger=Trigger.SCHEDULE)

    adopted = await workshop.queue(seller)
    await workshop.queue(seller)

    assert adopted.id == scheduled.id
    assert await in_queue(workshop) == [Lane.ORDERS, Lane.URGENT]


async def test_runs_that_the_queue_has_lost_are_queued_again(workshop: Workshop, app_url):
    lost = await workshop.queue(await workshop.connect())
    async with workshop.database.session() as session:
        await session.execute(text("DELETE FROM pgqueuer"))
        await session.execute(text("UPDATE runs SET created_at = created_at - 60000000"))
    async with workers(app_url, workshop, jobs=JOBS_OF_WORKERS):
        await until(partial(is_finished, workshop, lost.id))

    assert (await workshop.look(lost)).outcome is Outcome.NO_CHANGES


async def test_runs_that_the_queue_knows_of_are_not_queued_twice(workshop: Workshop):
    await workshop.queue(await workshop.connect())
    async with workshop.database.session() as session:
        await session.execute(text("UPDATE runs SET created_at = created_at - 60000000"))

    await workshop.runs.remind()

    assert len(await in_queue(workshop)) == 1


async def test_a_disabled_integration_stops_within_a_second_wherever_it_runs(workshop: Workshop, app_url):
    seller = await workshop.connect()
    workshop.shop().page_size = 1
    workshop.shop().place(*(an_order(number) for number in range(1, 60)))
    workshop.channel.delays["orders"] = 0.1
    async with workers(app_url, workshop, 2, JOBS_OF_WORKERS):
        run = await workshop.queue(seller)
        await until(partial(has_orders, workshop, 1))
        async with workshop.database.begin() as work:
            await work.runs.cancel_for(seller.id)
        await until(partial(is_finished, workshop, run.id), within_s=1)

    assert (await workshop.look(run)).status is RunStatus.CANCELLED


async def test_a_worker_that_is_stopped_leaves_its_runs_to_the_others(workshop: Workshop, app_url):
    seller = await workshop.connect()
    workshop.shop().page_size = 2
    workshop.shop().place(*(an_order(number) for number in range(1, 10)))
    workshop.channel.delays["orders"] = 0.2
    async with workers(app_url, workshop):
        stopped = await workshop.queue(seller)
        await until(partial(has_orders, workshop, 2))
    assert (await workshop.look(stopped)).status is RunStatus.INTERRUPTED

    workshop.channel.delays.clear()
    async with workers(app_url, workshop, jobs=JOBS_OF_WORKERS):
        await until(partial(has_orders, workshop, 9))


async def test_a_worker_that_looks_through_its_queue_is_alive(workshop: Workshop, app_url):
    passed = 0.0
    connection = QueueConnection(app_url, lambda: asyncio.get_running_loop().time() + passed)
    worker = Worker(workshop.work, (), 2, connection, lease_s=5)
    await worker.start()
    try:
        assert (worker.alive(), worker.draining) == (True, False)
        passed = 61.0
        assert not worker.alive()
        await until(partial(is_alive, worker))
    finally:
        await worker.stop(2)

    assert worker.draining


async def test_a_process_that_only_answers_queues_what_becomes_due(workshop: Workshop):
    seller = await workshop.connect()
    dispatcher = Dispatcher(workshop.work, JOBS)
    await dispatcher.start()
    async with workshop.database.begin() as work:
        await work.schedules.hurry(seller.id, RunKind.ORDERS, utcnow())
    dispatcher.nudge()
    await until(partial(is_queued, workshop))
    await dispatcher.stop(1)

    assert await in_queue(workshop) == [Lane.ORDERS]
    assert dispatcher.draining


async def test_the_log_of_the_queue_is_forgotten(workshop: Workshop):
    await workshop.queue(await workshop.connect())
    async with workshop.database.session() as session:
        await session.execute(text("UPDATE pgqueuer_log SET created = now() - interval '11 minutes'"))
    await workshop.queue(await workshop.connect("m2"))

    await workshop.work.prune.forget_queue_log()

    async with workshop.database.session() as session:
        assert await session.value(text("SELECT count(*) FROM pgqueuer_log")) == 1


async def test_a_long_log_of_the_queue_is_forgotten_in_pieces(workshop: Workshop):
    await workshop.queue(await workshop.connect())
    logged = """
        INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint)
        SELECT now() - interval '11 minutes', n, 'queued', 0, 'orders' FROM generate_series(1, 20001) AS n
    """
    async with workshop.database.session() as session:
        await session.execute(text(logged))
        assert await forget_queue_log(session, utcnow() - timedelta(minutes=10), 7) == 7

    await workshop.work.prune.forget_queue_log()

    async with workshop.database.session() as session:
        assert await session.value(text("SELECT count(*) FROM pgqueuer_log")) == 1


async def has_succeeded(workshop: Workshop, integration_id: str) -> bool:
    async with workshop.database.read() as work:
        schedule = (await work.schedules.of([integration_id]))[integration_id].get(RunKind.ORDERS)
        return schedule is not None and schedule.last_success_at is not None


async def is_alive(worker: Worker) -> bool:
    return worker.alive()


async def are_running(workshop: Workshop, number: int) -> bool:
    return workshop.channel.calls["orders"] == number


async def is_queued(workshop: Workshop) -> bool:
    return bool(await in_queue(workshop))
