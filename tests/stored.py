"""What tests store and read in ways that the service has no use for."""

from collections.abc import Sequence
from datetime import datetime

from tests.factories import TENANT

from channel_sync.domain.integrations import Account
from channel_sync.domain.listings import Listing
from channel_sync.domain.orders import ChannelOrder
from channel_sync.domain.runs import Run, RunKind
from channel_sync.persistence.credentials import HeldGrant
from channel_sync.persistence.database import Database, UnitOfWork
from channel_sync.persistence.rows.prepared_orders import OrderRow, OrderRowEncoder
from channel_sync.persistence.runs import RunQuery
from channel_sync.persistence.sql.paging import PageRequest


def order_rows(
    database: Database, account: Account, orders: Sequence[ChannelOrder], now: datetime, currency: str = "GBP"
) -> Sequence[OrderRow]:
    """The rows that storing the orders takes."""
    return OrderRowEncoder(account.channel, account.tenant, account.id, currency, now, database.personal).rows(
        orders
    )


async def newest_run(work: UnitOfWork, integration_id: str, kind: RunKind) -> Run | None:
    """The newest run of the kind."""
    page = await work.runs.list(TENANT, RunQuery(integration_id, kind), PageRequest(1))
    return page.items[0] if page.items else None


async def held_grant(work: UnitOfWork, integration_id: str) -> HeldGrant | None:
    """The newest grant, or None where there is none or it cannot be opened."""
    held = (await work.credentials.held_by([integration_id])).get(integration_id)
    return None if held is None else held[1]


async def fed_by(work: UnitOfWork, sku: str, tenant: str = TENANT) -> list[Listing]:
    """Every listing that the SKU feeds."""
    return (await work.listings.by_skus(tenant, [sku])).get(sku, [])
