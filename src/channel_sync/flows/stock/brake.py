"""The brake: a push that would set too many of a shop's listings to zero stops before the first one.

Something upstream may have gone wrong, and a shop that is sold out by mistake loses its sales. A person decides.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from channel_sync.domain.brakes import LEAST_EMPTIED, Brake, is_too_much
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import Conflict, StockBraked
from channel_sync.domain.events import Event, EventType
from channel_sync.domain.ids import new_id
from channel_sync.domain.incidents import IncidentKind
from channel_sync.domain.integrations import Account, Integration
from channel_sync.domain.listings import ProductStock
from channel_sync.domain.runs import RunKind
from channel_sync.flows.incidents import close_incident, open_incident, tell_whether
from channel_sync.flows.runs.session import RunSession
from channel_sync.persistence.database import Database, UnitOfWork


@dataclass(slots=True)
class PushBrake:
    """What one push has emptied, and whether it may go on."""

    session: RunSession
    _emptied: set[str] = field(default_factory=set)
    _listings: int | None = None

    async def check(self, emptying: Collection[str]) -> None:
        """`StockBraked` where these and those emptied before are too many, or an earlier push was stopped."""
        async with self.session.database.read() as work:
            account = await work.accounts.get(self.session.account.id)
            integration = await work.integrations.get(self.session.integration.tenant, self.session.integration.id)
        if account.brake is not None:
            # A shop that was removed and came back does not say so any more.
            await tell_whether(self.session, IncidentKind.STOCK_BRAKED, True)
            raise StockBraked(account.brake.emptied, account.brake.listings)
        number = len(self._emptied | set(emptying))
        percent = integration.settings.stock.brake_percent
        # To count looks through the whole shop.
        listings = await self._count() if number >= LEAST_EMPTIED else 0
        if is_too_much(number, listings, percent):
            await self._stop(Brake(utcnow(), number, listings, percent))

    def note(self, products: Sequence[ProductStock], emptying: Collection[str]) -> None:
        """Remember which of these products' listings are emptied."""
        self._emptied |= {one.listing_id for product in products for one in product.listings} & set(emptying)

    async def _count(self) -> int:
        if self._listings is None:
            async with self.session.database.read() as work:
                self._listings = await work.listings.count_fed(self.session.account.id)
        return self._listings

    async def _stop(self, brake: Brake) -> None:
        async with self.session.transaction() as page:
            if await page.work.accounts.apply_brake(self.session.account.id, brake):
                integration = self.session.integration
                await open_incident(page.work, integration, IncidentKind.STOCK_BRAKED, brake.at)
                members = {"emptied": brake.emptied, "listings": brake.listings, "percent": brake.percent}
                await page.work.events.add([_event(integration, "stock.braked", brake.at, members)])
        raise StockBraked(brake.emptied, brake.listings)


class Brakes:
    """Brakes of every tenant's shops. `nudge` is called when what waited may go on."""

    def __init__(self, database: Database, nudge: Callable[[], None]) -> None:
        self._database = database
        self._nudge = nudge

    async def of(self, tenant: str, integration_id: str) -> tuple[Integration, Account]:
        """The integration, and the account that has the brake; `Conflict` before there is one."""
        async with self._database.read() as work:
            return await _braked(work, tenant, integration_id)

    async def release(self, tenant: str, integration_id: str) -> tuple[Integration, Account]:
        """Let what waits be sent, whatever it empties. Where no brake is on nothing changes."""
        async with self._database.begin() as work:
            integration, account = await _braked(work, tenant, integration_id)
            now = utcnow()
            if account.brake is not None and integration.runnable and integration.settings.stock.enabled:
                await work.schedules.hurry(integration_id, RunKind.STOCK, now)
            if await work.accounts.release_brake(account.id, now):
                await close_incident(work, integration, IncidentKind.STOCK_BRAKED, now)
                await work.events.add([_event(integration, "stock.brake_released", now, {})])
            released = await work.accounts.get(account.id)
        self._nudge()
        return integration, released


async def _braked(work: UnitOfWork, tenant: str, integration_id: str) -> tuple[Integration, Account]:
    integration = await work.integrations.get(tenant, integration_id)
    if integration.account_id is None:
        raise Conflict("not_connected", "A shop that is not connected has no brake.")
    return integration, await work.accounts.get(integration.account_id)


def _event(integration: Integration, type_: EventType, now: datetime, members: dict[str, int]) -> Event:
    return Event(new_id("evt", now), integration.tenant, type_, integration.id, now, {**members})
