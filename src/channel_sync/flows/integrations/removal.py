"""Taking an integration out of service, and back."""

from dataclasses import dataclass, replace
from datetime import datetime

from channel_sync.domain.errors import Conflict
from channel_sync.domain.integrations import Integration
from channel_sync.flows.scheduling.jobs import stop_jobs
from channel_sync.flows.status.events import integration_event
from channel_sync.persistence.database import UnitOfWork

_KEPT = (
    "The integration can be restored for 30 days; after that its orders' personal data is erased.",
    "Orders, the place where the download stopped, and listing mappings stay, and come back when the same"
    " merchant is connected again.",
)
_LOST = (
    "The app secret and both tokens are destroyed at once; the merchant has to authorise again.",
    "Orders are no longer downloaded and stock is no longer sent.",
)


@dataclass(frozen=True, slots=True)
class RemovalPreview:
    """What a removal would touch. `unsent_stock` counts listings that lack their newest value.

    Both numbers of listings are counted up to 10000.
    """

    open_orders: int
    unsent_stock: int
    mapped_listings: int
    kept: tuple[str, ...]
    lost: tuple[str, ...]


async def preview_of(work: UnitOfWork, integration: Integration) -> RemovalPreview:
    """What the removal of the integration would touch now."""
    account_id = integration.account_id
    if account_id is None:
        return RemovalPreview(0, 0, 0, (), ("The draft is gone, with everything typed into it.",))
    counts = await work.pushes.counts([account_id])
    return RemovalPreview(
        open_orders=await work.orders.count_open(account_id),
        unsent_stock=counts[account_id].waiting,
        mapped_listings=await work.listings.count_mapped(account_id),
        kept=_KEPT,
        lost=_LOST,
    )


async def destroy(work: UnitOfWork, integration: Integration, now: datetime) -> Integration:
    """The integration stopped, without credentials, and its account free for another."""
    await work.credentials.destroy(integration.id)
    await stop_jobs(work, integration)
    await work.attempts.destroy(integration.id)
    await work.accounts.detach(integration.id)
    await work.incidents.close_all(integration.id, now)
    removed = await _newest(work, integration)
    removed = replace(removed, removed_at=now, pending_until=None, status_since=now, updated_at=now)
    removed = await work.integrations.save(removed)
    await work.events.add([integration_event(removed, "integration.removed", now)])
    return removed


async def reattach(work: UnitOfWork, removed: Integration, now: datetime) -> Integration:
    """The integration back with its account; `Conflict` when another one has it by now."""
    if removed.account_id is not None:
        account = await work.accounts.get(removed.account_id)
        if account.integration_id not in (None, removed.id):
            raise Conflict(
                "account_already_connected", "Another integration has this merchant.", account.integration_id
            )
        shop = (account.channel, account.environment, account.client_id, account.merchant_id)
        await work.accounts.reserve(*shop)
        if await work.accounts.used_elsewhere(account.tenant, *shop):
            raise Conflict("account_in_use", "This merchant is connected already.")
        await work.accounts.attach(account.id, removed.id, account.client_id, account.shop_name)
    restored = replace(
        removed, removed_at=None, rejected_reason=None, paused_reason=None, status_since=now, updated_at=now
    )
    restored = await work.integrations.save(restored)
    await work.events.add([integration_event(restored, "integration.restored", now)])
    return restored


async def _newest(work: UnitOfWork, integration: Integration) -> Integration:
    return await work.integrations.get(integration.tenant, integration.id)
