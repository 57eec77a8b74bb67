"""What a push would change, by the rules that are set or by others, written down and not sent."""

from collections.abc import Sequence

from channel_sync.domain.brakes import is_too_much
from channel_sync.domain.errors import StockBraked
from channel_sync.domain.listings import StockChange, Waiting, units_there
from channel_sync.domain.runs import Counts
from channel_sync.domain.stock import Arithmetic
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.stock.plan import emptied


async def list_changes(session: RunSession) -> None:
    """Keep every change of units with the run. The run says so where the brake would stop the push.

    The shop is not asked: what it has is what was seen there, or told since.
    """
    account = session.account
    async with session.database.read() as work:
        integration = await work.integrations.get(account.tenant, session.integration.id)
    stock = integration.settings.stock
    by = Arithmetic(stock.overruled(session.run.rules), session.rules.stock.most_units)
    to_zero, after = 0, ""
    while True:
        session.context.raise_if_cancelled()
        async with session.database.read() as work:
            told, rest = await work.stock_rules.to_be_told(account.tenant, account.id, after, by)
        place = stock.warehouse_id or ""
        to_zero += len(emptied([one for _, one in told], by, place, account.brake_released_at))
        changes = [_change(sku, one, by) for sku, one in told]
        await _keep(session, changes)
        if rest is None:
            break
        after = rest
    async with session.database.read() as work:
        listings = await work.listings.count_fed(account.id)
    if is_too_much(to_zero, listings, stock.brake_percent):
        session.flaw = StockBraked(to_zero, listings)


async def _keep(session: RunSession, changes: Sequence[StockChange]) -> None:
    different = [change for change in changes if change.before != change.quantity]
    async with session.transaction() as page:
        await page.work.run_changes.add(session.run.id, different)
        page.counts += Counts(updated=len(different), unchanged=len(changes) - len(different))


def _change(sku: str, one: Waiting, by: Arithmetic) -> StockChange:
    place = by.settings.warehouse_id or one.warehouse_id or next(iter(dict(one.quantities)), "")
    told = by.quantities(*one.free, place, one.sku_rules, one.rules)
    return StockChange(one.listing_id, sku, units_there(one, dict(told)), sum(units for _, units in told))
