"""A worker put together: database → channels → flows → the engine's queue; and a way to ask how it is."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from socket import socket

from channel_sync.api.app import create_health_api
from channel_sync.api.http.services import Vitals
from channel_sync.http.bounds import ConnectionBounds
from channel_sync.http.server import answering
from channel_sync.main.engine import queue_address, queue_setting, queue_worker
from channel_sync.main.process import CannotStart
from channel_sync.main.runtime import open_runtime
from channel_sync.main.store import open_database, reaching
from channel_sync.persistence import migrations
from channel_sync.setting_values import Jobs
from channel_sync.settings import Settings

# Below the 25 s of a stop, with what it takes to close what is open.
STOP_S = 20.0


@asynccontextmanager
async def working(settings: Settings, listener: socket | None) -> AsyncIterator[None]:
    """A worker at work; where there is a listener, it tells there how it is until all its work has ended."""
    if settings.jobs is not Jobs.DISTRIBUTED:
        raise CannotStart("CHANNEL_SYNC_JOBS: a worker needs distributed")
    queue = queue_address(settings)
    async with open_runtime(settings) as runtime, AsyncExitStack() as open_things:
        # What a run makes due, the clock of every worker finds within a second.
        work, _ = runtime.work(lambda: None)
        worker = queue_worker(settings, work, queue)
        telling: AbstractAsyncContextManager[None] = nullcontext()
        if listener is not None:
            # With connections of its own a check never waits behind a crowd of runs.
            database = await open_things.enter_async_context(open_database(settings))
            vitals = Vitals(database, worker, migrations.outdated())
            bounds = ConnectionBounds(settings.keep_alive_s, settings.max_connections)
            telling = answering(create_health_api(vitals), listener, bounds)
        with reaching(queue_setting(settings)):
            await worker.start()
        await open_things.enter_async_context(telling)
        open_things.push_async_callback(worker.stop, STOP_S)
        yield
