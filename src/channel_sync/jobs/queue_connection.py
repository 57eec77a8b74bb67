"""The engine's way to its database, which waits where the engine itself would give up."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import TypeVar

import asyncpg
from pgqueuer.core.tm import TaskManager
from pgqueuer.ports.driver import Driver, NotifyCallback

from channel_sync.domain.errors import StorageRefused, StorageUnavailable
from channel_sync.persistence.engine.postgres_address import postgres_address
from channel_sync.persistence.engine.postgres_driver import connect
from channel_sync.persistence.engine.storage_errors import translated_connecting

T = TypeVar("T")

_NAME = "channel-sync queue"
_CONNECTIONS = 4
_CONNECT_S = 5.0
ANSWER_S = 30.0
_AWAY_S = 0.5
# Connection lost, refused, in recovery, shut down, read-only, or no answer in time.
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
)


async def _keep_plans(connection: asyncpg.Connection) -> None:
    """The engine's question for jobs takes longer to plan than to answer.

    Not a setting of the connection's start: a pooler by session would refuse that.
    """
    await connection.execute("SET plan_cache_mode = force_generic_plan")


async def _leave_as_it_is(_connection: object) -> None:
    """Nothing the engine asks leaves anything behind; asyncpg would clean up by a call of its own each time."""


class QueueConnection(Driver):
    """A pool for the engine's statements and one more connection that listens.

    The engine ends at the first statement that fails, and only after all jobs it has begun. So a statement here
    waits until the database is back: all of them may be repeated.
    """

    def __init__(self, url: str, clock: Callable[[], float] = monotonic) -> None:
        self._address = postgres_address(url)
        self._clock = clock
        self._asked_at = clock()
        self._pool: asyncpg.Pool | None = None
        self._callbacks: list[tuple[str, NotifyCallback]] = []
        self._listener: asyncpg.Connection | None = None
        self._heard_of: set[str] = set()
        self._lock = asyncio.Lock()
        self._listening: asyncio.Task[None] | None = None
        self._shutdown = asyncio.Event()

    async def open(self) -> None:
        """Connect; `StorageUnavailable` where that cannot be done."""
        try:
            with translated_connecting():
                self._pool = await asyncpg.create_pool(
                    min_size=1,
                    max_size=_CONNECTIONS,
                    command_timeout=ANSWER_S,
                    init=_keep_plans,
                    reset=_leave_as_it_is,
                    connect=self._connect,
                )
        except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError):
            raise StorageRefused from None
        except AWAY:
            raise StorageUnavailable from None
        self._listening = asyncio.create_task(self._keep_listening())

    async def _connect(self, *_: object, **options: object) -> asyncpg.Connection:
        return await connect(asyncpg, self._address, _NAME, _CONNECT_S, **options)

    async def close(self) -> None:
        """Disconnect."""
        self._shutdown.set()
        if self._listening is not None:
            await self._listening
        if self._listener is not None:
            self._listener.terminate()
        if self._pool is not None:
            self._pool.terminate()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Every row found."""
        return await self._patiently(lambda pool: self._rows(pool, query, args))

    async def execute(self, query: str, *args: object) -> str:
        """Carry out a statement."""
        return await self._patiently(lambda pool: pool.execute(query, *args))

    async def notify(self, channel: str, payload: str) -> None:
        """Tell all who listen."""
        await self.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Call back for every notification. While the database is away the engine looks by itself."""
        self._callbacks.append((channel, callback))
        with suppress(*AWAY):
            async with self._lock:
                await self._listen()

    def silent_s(self) -> float:
        """Seconds since the engine last asked for something, successfully or not. At work it looks every 2 s."""
        return self._clock() - self._asked_at

    @property
    def shutdown(self) -> asyncio.Event:
        """Set once no more work is wanted."""
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        """No tasks of its own."""
        return TaskManager()

    async def __aenter__(self) -> "QueueConnection":
        return self

    async def __aexit__(self, *_: object) -> None:
        """It is shared: whoever opened it closes it."""

    async def _rows(self, pool: asyncpg.Pool, query: str, args: tuple[object, ...]) -> list[dict[str, object]]:
        return [dict(row) for row in await pool.fetch(query, *args)]

    async def _patiently(self, ask: Callable[[asyncpg.Pool], Awaitable[T]]) -> T:
        assert self._pool is not None, "It is open."
        while True:
            self._asked_at = self._clock()
            try:
                return await ask(self._pool)
            except AWAY:
                if self._shutdown.is_set():
                    raise
                await asyncio.sleep(random.uniform(_AWAY_S / 2, _AWAY_S))

    async def _keep_listening(self) -> None:
        """Make a new connection to listen on whenever it is lost."""
        while not self._shutdown.is_set():
            with suppress(*AWAY):
                async with self._lock:
                    await self._listen()
            await self._sleep(_AWAY_S)

    async def _listen(self) -> None:
        """Listen to every channel somebody wants to hear of."""
        if self._listener is None or self._listener.is_closed():
            # LISTEN has to be answered as well: whoever wants to hear of another channel waits behind it.
            self._listener = await self._connect(command_timeout=_CONNECT_S)
            self._heard_of = set()
        for channel, _ in self._callbacks:
            if channel not in self._heard_of:
                await self._listener.add_listener(channel, self._heard)
                self._heard_of.add(channel)

    def _heard(self, _connection: object, _pid: object, channel: str, payload: object) -> None:
        for wanted, callback in self._callbacks:
            if wanted == channel:
                callback(str(payload))

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._shutdown.wait(), seconds)
