"""The engine of distributed jobs, loaded only where it is asked for: on SQLite it is not even installed."""

from typing import TYPE_CHECKING

from channel_sync.jobs.schedule import JOBS_OF_WORKERS, Flows
from channel_sync.main.process import CannotStart
from channel_sync.persistence.engine.postgres_address import postgres_address
from channel_sync.persistence.engine.run_queue import RunQueue
from channel_sync.setting_values import Jobs
from channel_sync.settings import Settings

if TYPE_CHECKING:
    from channel_sync.jobs.distributed import Worker

_MISSING = "CHANNEL_SYNC_JOBS=distributed needs more packages: pip install 'channel-sync[postgres]'"
_POOLED = (
    "CHANNEL_SYNC_QUEUE_DATABASE_URL: a worker listens for its queue, which no pooler lets it do; "
    "set the database's direct address"
)


def run_queue(settings: Settings) -> RunQueue | None:
    """The queue of workers, where the settings ask for workers; `CannotStart` where there can be none."""
    if settings.jobs is not Jobs.DISTRIBUTED:
        return None
    if not settings.database_url.get_secret_value().startswith("postgresql:"):
        raise CannotStart("CHANNEL_SYNC_JOBS=distributed needs PostgreSQL; set CHANNEL_SYNC_DATABASE_URL")
    try:
        from channel_sync.jobs.distributed import EngineQueue
    except ModuleNotFoundError:
        raise CannotStart(_MISSING) from None
    return EngineQueue()


def queue_address(settings: Settings) -> str:
    """Where a worker listens for queued runs; `CannotStart` where nobody can. Queueing needs no such address."""
    address = (settings.queue_database_url or settings.database_url).get_secret_value()
    if postgres_address(address).pooled:
        raise CannotStart(_POOLED)
    return address


def queue_setting(settings: Settings) -> str:
    """The setting that this address is from."""
    given = settings.queue_database_url is not None
    return "CHANNEL_SYNC_QUEUE_DATABASE_URL" if given else "CHANNEL_SYNC_DATABASE_URL"


def queue_worker(settings: Settings, work: Flows, queue: str) -> "Worker":
    """What takes runs from the queue at that address and carries them out, not yet started."""
    from channel_sync.jobs.distributed import Worker
    from channel_sync.jobs.queue_connection import QueueConnection

    return Worker(work, JOBS_OF_WORKERS, settings.sync_concurrency, QueueConnection(queue), settings.lease_s)
