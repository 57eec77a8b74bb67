"""The store: transactions, and the repositories of one transaction."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import inspect, select, text
from sqlalchemy.engine import make_url

from channel_sync.domain.platform_apps import NO_PLATFORM_APPS, PlatformApps
from channel_sync.persistence.accounts import AccountRepository
from channel_sync.persistence.api_keys import ApiKeyRepository
from channel_sync.persistence.attempts import AttemptRepository
from channel_sync.persistence.call_budgets import CallBudgetRepository
from channel_sync.persistence.callbacks import CallbackRepository
from channel_sync.persistence.carriers import CarrierRepository
from channel_sync.persistence.claims import ClaimRepository
from channel_sync.persistence.credentials import CredentialRepository
from channel_sync.persistence.disclosures import DisclosureRepository
from channel_sync.persistence.doubts import DoubtRepository
from channel_sync.persistence.drifts import DriftRepository
from channel_sync.persistence.engine.postgres import PostgresStore
from channel_sync.persistence.engine.postgres_address import SCHEME, postgres_address
from channel_sync.persistence.engine.run_queue import RunQueue
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.engine.sqlite import SqliteStore
from channel_sync.persistence.engine.storage_errors import translated
from channel_sync.persistence.engine.tenancy import current_tenant
from channel_sync.persistence.events import EventRepository
from channel_sync.persistence.held_orders import HeldOrderRepository
from channel_sync.persistence.idempotency import IdempotencyRepository
from channel_sync.persistence.incidents import IncidentRepository
from channel_sync.persistence.integrations import IntegrationRepository
from channel_sync.persistence.listings import ListingRepository
from channel_sync.persistence.mapped_skus import MappedSkuRepository
from channel_sync.persistence.order_changes import OrderChangeRepository
from channel_sync.persistence.order_downloads import OrderDownloadRepository
from channel_sync.persistence.order_ids import OrderIdRepository
from channel_sync.persistence.order_versions import OrderVersionRepository
from channel_sync.persistence.orders import OrderRepository
from channel_sync.persistence.pushes import PushRepository
from channel_sync.persistence.quotas import QuotaRepository
from channel_sync.persistence.renewals import RenewalRepository
from channel_sync.persistence.reservations import ReservationRepository
from channel_sync.persistence.retentions import RetentionRepository
from channel_sync.persistence.rows.compression import Compression
from channel_sync.persistence.rows.encryption import Cipher, Unreadable, WrongKey
from channel_sync.persistence.rows.prepared_orders import PersonalParts
from channel_sync.persistence.rows.sealed_columns import META
from channel_sync.persistence.run_batches import RunBatches
from channel_sync.persistence.run_changes import RunChangeRepository
from channel_sync.persistence.run_log import RunLogRepository
from channel_sync.persistence.runs import RunRepository
from channel_sync.persistence.sales import SalesRepository
from channel_sync.persistence.schedules import ScheduleRepository
from channel_sync.persistence.ship_by import ShipByRepository
from channel_sync.persistence.sql.feeds import FeedWrites
from channel_sync.persistence.sql.tables import meta
from channel_sync.persistence.stock import StockRepository
from channel_sync.persistence.stock_jobs import StockJobRepository
from channel_sync.persistence.stock_rules import StockRuleRepository
from channel_sync.persistence.turns import TurnRepository

T = TypeVar("T")

_KEY_CHECK = "key_check"
_KEY_CHECK_PLACE = META.place("value", {"key": _KEY_CHECK})
_KNOWN_TEXT = b"channel-sync"
_PASSES_THE_WALL = """\
SELECT EXISTS (
    SELECT FROM pg_class WHERE relrowsecurity AND pg_table_is_visible(oid) AND NOT row_security_active(oid)
)"""


class UnitOfWork:
    """The repositories of one transaction, each made when it is first asked for. They are of no use after it."""

    def __init__(self, session: Session, personal: PersonalParts, apps: PlatformApps) -> None:
        self._session = session
        self._personal = personal
        self._apps = apps

    integrations = cached_property(lambda work: IntegrationRepository(work._session, work._personal.cipher))
    credentials = cached_property(
        lambda work: CredentialRepository(work._session, work._personal.cipher, work._apps)
    )
    renewals = cached_property(lambda work: RenewalRepository(work._session))
    accounts = cached_property(lambda work: AccountRepository(work._session))
    attempts = cached_property(lambda work: AttemptRepository(work._session, work._personal.cipher))
    callbacks = cached_property(lambda work: CallbackRepository(work._session, work._personal.cipher))
    claims = cached_property(lambda work: ClaimRepository(work._session, work._personal.cipher))
    runs = cached_property(lambda work: RunRepository(work._session))
    run_log = cached_property(lambda work: RunLogRepository(work._session))
    run_changes = cached_property(lambda work: RunChangeRepository(work._session))
    run_batches = cached_property(lambda work: RunBatches(work._session, work.runs.queued_now))
    schedules = cached_property(lambda work: ScheduleRepository(work._session))
    feeds = cached_property(lambda work: FeedWrites(work._session))
    orders = cached_property(lambda work: OrderRepository(work._session, work._personal, work.feeds))
    order_downloads = cached_property(lambda work: OrderDownloadRepository(work._session))
    order_ids = cached_property(lambda work: OrderIdRepository(work._session))
    order_versions = cached_property(lambda work: OrderVersionRepository(work._session))
    order_changes = cached_property(lambda work: OrderChangeRepository(work._session))
    carriers = cached_property(lambda work: CarrierRepository(work._session))
    disclosures = cached_property(lambda work: DisclosureRepository(work._session, work._personal))
    held_orders = cached_property(lambda work: HeldOrderRepository(work._session, work._personal.cipher))
    listings = cached_property(lambda work: ListingRepository(work._session))
    mapped_skus = cached_property(lambda work: MappedSkuRepository(work._session))
    pushes = cached_property(lambda work: PushRepository(work._session))
    doubts = cached_property(lambda work: DoubtRepository(work._session))
    drifts = cached_property(lambda work: DriftRepository(work._session))
    sales = cached_property(lambda work: SalesRepository(work._session))
    stock = cached_property(lambda work: StockRepository(work._session))
    stock_jobs = cached_property(lambda work: StockJobRepository(work._session))
    stock_rules = cached_property(lambda work: StockRuleRepository(work._session))
    events = cached_property(lambda work: EventRepository(work._session, work.feeds))
    incidents = cached_property(lambda work: IncidentRepository(work._session))
    api_keys = cached_property(lambda work: ApiKeyRepository(work._session))
    idempotency = cached_property(lambda work: IdempotencyRepository(work._session, work._personal.cipher))
    quotas = cached_property(lambda work: QuotaRepository(work._session))
    turns = cached_property(lambda work: TurnRepository(work._session))
    ship_by = cached_property(lambda work: ShipByRepository(work._session))
    reservations = cached_property(lambda work: ReservationRepository(work._session))
    retentions = cached_property(lambda work: RetentionRepository(work._session))
    call_budgets = cached_property(lambda work: CallBudgetRepository(work._session))


class Database:
    """One database, `sqlite:///path` or `postgresql://…`. Repositories work for whom `tenancy` says.

    `patience_s` is how long a write on SQLite waits for its turn before it is `StorageUnavailable`. A `queue` is
    told of every run that is queued, where workers on PostgreSQL carry them out. By the `compression` orders are
    stored and read again. Integrations may work with the `platform_apps`.
    """

    def __init__(
        self,
        url: str,
        cipher: Cipher,
        patience_s: float = 5.0,
        queue: RunQueue | None = None,
        compression: Compression | None = None,
        platform_apps: PlatformApps = NO_PLATFORM_APPS,
    ) -> None:
        self.cipher = cipher
        self.platform_apps = platform_apps
        self.personal = PersonalParts(cipher, compression or Compression())
        self._queue = queue
        self._store = _store(url, patience_s)
        self.single_process = self._store.single_process

    @asynccontextmanager
    async def begin(self, durable: bool = True) -> AsyncIterator[UnitOfWork]:
        """A write transaction: leaving commits, an exception rolls back. Make no remote call inside.

        One that is not durable is as whole and as visible, but may be undone, with those like it of the last
        moment, when the machine or PostgreSQL itself crashes: for what would simply be done again.
        """
        async with self._begun(current_tenant(), durable) as session:
            work = self._work(session)
            yield work
            if self._queue is not None and work.runs.queued_now:
                await self._queue.put(session.driver, work.runs.queued_now)
            await work.feeds.write()

    async def run_transaction(
        self, act: Callable[[UnitOfWork], Coroutine[Any, Any, T]], durable: bool = True
    ) -> T:
        """What `act` returns from a write transaction of its own, which may not await anything but repositories.

        On SQLite all of it runs in the writer's thread: one way there and back, not one a statement, each of which
        waits its turn behind whatever the event loop does. Nothing of it queues a run.
        """
        with translated():
            return await self._store.run_transaction(partial(self._act, act), current_tenant(), durable)

    async def _act(self, act: Callable[[UnitOfWork], Coroutine[Any, Any, T]], session: Session) -> T:
        work = self._work(session)
        result = await act(work)
        await work.feeds.write()
        return result

    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        """A read-only transaction that sees one moment and never waits for writers. Keep it short."""
        tenant = current_tenant()
        with translated():
            async with self._store.read(tenant) as session:
                yield self._work(session)

    def _work(self, session: Session) -> UnitOfWork:
        return UnitOfWork(session, self.personal, self.platform_apps)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A write transaction without repositories, for what concerns the database as a whole."""
        async with self._begun(None) as session:
            yield session

    @asynccontextmanager
    async def _begun(self, tenant: str | None, durable: bool = True) -> AsyncIterator[Session]:
        with translated():
            async with self._store.begin(tenant, durable) as session:
                yield session

    async def schema_version(self) -> str | None:
        """The revision of the schema, or None where there is no schema yet."""
        if not self._store.exists:
            return None
        with translated():
            async with self._store.read(None) as session:
                if not await session.run(lambda plain: inspect(plain).has_table("alembic_version")):
                    return None
                version = await session.value(text("SELECT version_num FROM alembic_version"))
                return None if version is None else str(version)

    async def clock(self) -> datetime | None:
        """What time the server thinks it is; None where there is no server."""
        if self.single_process:
            return None
        with translated():
            async with self._store.read(None) as session:
                now: datetime = await session.value(text("SELECT clock_timestamp()"))
                return now

    async def keeps_tenants_apart(self) -> bool | None:
        """Whether row-level security binds our role in every table that has it; None where there is no such thing.

        It binds neither superusers nor roles with BYPASSRLS, and the tables' owner and its members only where the
        tables FORCE it.
        """
        if self.single_process:
            return None
        with translated():
            async with self._store.read(None) as session:
                return not await session.value(text(_PASSES_THE_WALL))

    async def check_key(self) -> None:
        """Raise `WrongKey` where the database was sealed with a key that the ring does not have."""
        with translated():
            async with self._store.read(None) as session:
                sealed = await session.value(select(meta.c.value).where(meta.c.key == _KEY_CHECK))
        if sealed is None:
            return
        try:
            self.cipher.open(sealed, _KEY_CHECK_PLACE)
        except Unreadable:
            raise WrongKey from None

    async def initialise_key(self) -> None:
        """Write the value that `check_key` checks, where there is none."""
        sealed = self.cipher.seal(_KNOWN_TEXT, _KEY_CHECK_PLACE)
        async with self.session() as session:
            await session.execute(
                session.insert(meta).values(key=_KEY_CHECK, value=sealed).on_conflict_do_nothing()
            )

    async def close(self) -> None:
        """Close every connection."""
        await self._store.close()


def _store(url: str, patience_s: float) -> SqliteStore | PostgresStore:
    if url.startswith(SCHEME):
        return PostgresStore(postgres_address(url))
    address = make_url(url)
    if address.get_backend_name() != "sqlite" or not address.database:
        raise ValueError("A database address starts with sqlite:///path or postgresql://.")
    return SqliteStore(Path(address.database), patience_s)
