"""Rules that turn levels into units: those of SKUs and listings, and what a change of any means for listings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from channel_sync.domain.channel import Channel
from channel_sync.domain.clock import utcnow
from channel_sync.domain.integrations import Integration
from channel_sync.domain.listings import Listing
from channel_sync.domain.runs import RunKind
from channel_sync.domain.stock import MAX_UNITS, Arithmetic, UnitRules
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.stock.put import pieces_by_listings
from channel_sync.persistence.database import Database, UnitOfWork


@dataclass(frozen=True, slots=True)
class UnitChange:
    """A listing that is told other units: those it was told last, if any, and those it is told now."""

    listing_id: str
    integration_id: str
    sku: str
    before: int | None
    quantity: int


@dataclass(frozen=True, slots=True)
class ListingRules:
    """What one listing has for itself."""

    rules: UnitRules
    excluded: bool


class ChangeStockRules:
    """Rules of every tenant's SKUs and listings. `nudge` is called after a commit that made a run due."""

    def __init__(self, database: Database, channels: Mapping[str, Channel], nudge: Callable[[], None]) -> None:
        self._database = database
        self._channels = channels
        self._nudge = nudge

    async def of_skus(
        self, tenant: str, wanted: Sequence[tuple[str, UnitRules]], dry_run: bool
    ) -> list[list[UnitChange]]:
        """What other rules of SKUs change. Unless it is a dry run they are stored, and sent by the next run."""
        changes: list[list[UnitChange]] = []
        for part in await pieces_by_listings(self._database, tenant, wanted, [sku for sku, _ in wanted]):
            rules = dict(part)
            changed = await (self._would_change if dry_run else self._change)(tenant, rules)
            changes += [[one for one in changed if one.sku == sku] for sku, _ in part]
        return changes

    async def of_listing(
        self, tenant: str, listing_id: str, wanted: ListingRules, dry_run: bool
    ) -> tuple[Listing, list[UnitChange]]:
        """The listing with other rules of its own, and what that changes; nothing is stored by a dry run."""
        if dry_run:
            async with self._database.read() as work:
                before = await work.listings.get(tenant, listing_id)
                after = replace(before, rules=wanted.rules, excluded=wanted.excluded)
                return after, await self._changes(work, tenant, [after])
        async with self._database.begin() as work:
            await work.stock_rules.set_for_listing(tenant, listing_id, wanted.rules, wanted.excluded, utcnow())
            after = await work.listings.get(tenant, listing_id)
            changes = await self._send(work, tenant, [after])
        self._nudge()
        return after, changes

    async def _would_change(self, tenant: str, rules: Mapping[str, UnitRules]) -> list[UnitChange]:
        async with self._database.read() as work:
            fed = [*chain.from_iterable((await work.listings.by_skus(tenant, [*rules])).values())]
            after = [replace(one, sku_rules=rules[one.stock_sku or ""]) for one in fed]
            return await self._changes(work, tenant, after)

    async def _change(self, tenant: str, rules: Mapping[str, UnitRules]) -> list[UnitChange]:
        async with self._database.begin() as work:
            await work.stock_rules.set_for_skus(tenant, rules)
            fed = [*chain.from_iterable((await work.listings.by_skus(tenant, [*rules])).values())]
            changes = await self._send(work, tenant, fed)
        self._nudge()
        return changes

    async def _send(self, work: UnitOfWork, tenant: str, listings: Sequence[Listing]) -> list[UnitChange]:
        """The changes, which are due now. What waits anyway may have been planned by the rules of before."""
        now = utcnow()
        changes = await self._changes(work, tenant, listings)
        waiting = [one.id for one in listings if one.wanted_version > one.settled_version]
        await work.stock_rules.again([*waiting, *(change.listing_id for change in changes)], now)
        skus = {one.stock_sku for one in listings if one.stock_sku is not None}
        for integration_id in await work.stock.integrations_to_push(tenant, [*skus]):
            await work.schedules.hurry(integration_id, RunKind.STOCK, now)
        return changes

    async def _changes(self, work: UnitOfWork, tenant: str, listings: Sequence[Listing]) -> list[UnitChange]:
        levels = await work.stock.levels(tenant, [one.stock_sku for one in listings if one.stock_sku is not None])
        integrations = await work.integrations.find_all([one.integration_id for one in listings])
        changes: list[UnitChange] = []
        for one in listings:
            level, integration = levels.get(one.stock_sku or ""), integrations.get(one.integration_id)
            if level is None or integration is None or not one.is_fed:
                continue
            by = arithmetic_of(integration, self._channels)
            units = by.units(by.offered(*level.free), one.sku_rules, one.rules)
            if units != one.sent_quantity:
                changes.append(UnitChange(one.id, one.integration_id, level.sku, one.sent_quantity, units))
        return changes


def arithmetic_of(integration: Integration, channels: Mapping[str, Channel]) -> Arithmetic:
    """How the integration's levels become units. At a marketplace that is no longer offered nothing caps them."""
    channel = channels.get(integration.channel)
    return Arithmetic(integration.settings.stock, MAX_UNITS if channel is None else channel.rules.stock.most_units)


async def follow_changed_settings(session: RunSession) -> None:
    """Let what changed settings mean for the shop's listings reach them, some hundred a transaction.

    It is done between two rounds of sending, when every listing says what it was told last.
    """
    account_id = session.account.id
    async with session.database.read() as work:
        after = (await work.accounts.get(account_id)).resend_after
    while after is not None:
        async with session.transaction() as page:
            after = await _follow_some(page.work, session, utcnow())


async def _follow_some(work: UnitOfWork, session: RunSession, now: datetime) -> str | None:
    account = session.account
    after = await work.stock_rules.to_follow(account.id)
    # Read behind the lock, so that these are the newest: a later change begins anew.
    integration = await work.integrations.find(session.integration.id)
    if after is None or integration is None:
        return None
    by = Arithmetic(integration.settings.stock, session.rules.stock.most_units)
    return await work.stock_rules.follow(account.tenant, account.id, after, by, now)
