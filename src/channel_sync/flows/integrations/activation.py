"""Tying a grant to an integration: one shop, one grant; what the account had comes back."""

from dataclasses import dataclass, replace
from datetime import datetime

from channel_sync.domain.channel import App, Grant
from channel_sync.domain.errors import Conflict, StaleVersion
from channel_sync.domain.events import EventType
from channel_sync.domain.ids import new_id
from channel_sync.domain.integrations import CONNECTED_DRAFT_LIFETIME, Account, Authorisation, Integration
from channel_sync.flows.scheduling.jobs import catch_up, start_jobs
from channel_sync.flows.status.events import integration_event
from channel_sync.flows.status.since import restated
from channel_sync.flows.stock.warehouse import with_warehouse
from channel_sync.persistence.database import UnitOfWork

_ACTIVATED: tuple[EventType, ...] = ("integration.created", "integration.connected")


@dataclass(frozen=True, slots=True)
class ObtainedGrant:
    """A grant to store, and the application it was given to; `app_is_new` when that is to be stored, too.

    Stock goes to `warehouse_id` from now on, unless another one is chosen.
    """

    app: App
    grant: Grant
    shop_name: str | None
    app_is_new: bool
    warehouse_id: str | None = None


async def account_for(
    work: UnitOfWork, integration: Integration, client_id: str, merchant_id: str
) -> Account | None:
    """The merchant's account, if there is one; `Conflict` when the integration may not have it.

    A draft is not pinned: who signed in with the wrong shop signs in again.
    """
    if integration.activated_at is not None and integration.merchant_id not in (None, merchant_id):
        raise Conflict("account_mismatch", "This is another merchant than the one the integration belongs to.")
    place = (integration.tenant, integration.channel, integration.environment)
    if await work.accounts.used_elsewhere(*place, client_id, merchant_id):
        raise Conflict("account_in_use", "This merchant is connected already.")
    account = await work.accounts.find(*place, merchant_id)
    if account is not None and account.integration_id not in (None, integration.id):
        raise Conflict(
            "account_already_connected", "Another integration has this merchant.", account.integration_id
        )
    return account


async def connect(work: UnitOfWork, integration: Integration, given: ObtainedGrant, now: datetime) -> Integration:
    """The integration with the grant stored. A draft that knows its currency becomes active.

    `Conflict` when the merchant is not the integration's to have, `StaleVersion` when to read it anew.
    """
    await account_for(work, integration, given.app.client_id, given.grant.merchant_id)
    if given.app_is_new:
        await _store_app(work, integration.id, given.app, now)
    if not await work.credentials.store_grant(integration.id, given.grant, integration.generation):
        raise StaleVersion
    stored = await work.integrations.find(integration.id)
    if stored is None:
        raise StaleVersion
    await work.credentials.forget_in_drafts(stored)
    same_shop = stored.merchant_id == integration.merchant_id
    chosen = stored.settings.stock.warehouse_id if same_shop else None
    connected = replace(
        stored,
        settings=with_warehouse(stored.settings, chosen or given.warehouse_id),
        shop_name=given.shop_name or (stored.shop_name if same_shop else None),
        rejected_reason=None,
        paused_reason=None,
        pending_until=None,
        last_authorisation=Authorisation(now),
    )
    connected = restated(integration, connected, now)
    if connected.activated_at is None:
        return await _connect_draft(work, connected, now)
    return await _reconnect(work, connected, now)


async def _store_app(work: UnitOfWork, integration_id: str, app: App, now: datetime) -> None:
    if app.of_platform:
        await work.credentials.use_platform_app(integration_id, app.client_id, now)
    else:
        await work.credentials.set_app(integration_id, app.client_id, app.client_secret, now)


async def activate(work: UnitOfWork, draft: Integration, now: datetime) -> Integration:
    """A connected draft as an active and enabled integration with its merchant's account, its first runs due.

    Only here does it take the account, and only here are others told, that it was created and is connected: a
    draft that is cancelled leaves no trace.
    """
    account_id, cursor = await _take_account(work, draft, now)
    if cursor is None:
        await work.accounts.move_cursor(account_id, draft.orders_from)
    active = await work.integrations.save(
        replace(
            draft,
            account_id=account_id,
            activated_at=now,
            enabled=True,
            draft_expires_at=None,
            pending_until=None,
            status_since=now,
            updated_at=now,
        )
    )
    await work.events.add([integration_event(active, happened, now) for happened in _ACTIVATED])
    await start_jobs(work, active, now)
    return active


async def _connect_draft(work: UnitOfWork, draft: Integration, now: datetime) -> Integration:
    if draft.default_currency is not None:
        return await activate(work, draft, now)
    return await work.integrations.save(replace(draft, draft_expires_at=now + CONNECTED_DRAFT_LIFETIME))


async def _reconnect(work: UnitOfWork, integration: Integration, now: datetime) -> Integration:
    account_id, _ = await _take_account(work, integration, now)
    connected = await work.integrations.save(replace(integration, account_id=account_id))
    await work.events.add([integration_event(connected, "integration.reauthorised", now)])
    await catch_up(work, connected, now)
    return connected


async def _take_account(work: UnitOfWork, integration: Integration, now: datetime) -> tuple[str, datetime | None]:
    """The id and the cursor of the merchant's account, whose orders and mappings are now the integration's."""
    if integration.merchant_id is None:
        raise Conflict("integration_draft", "The integration is not connected.")
    shop = (integration.channel, integration.environment, integration.client_id, integration.merchant_id)
    await work.accounts.reserve(*shop)
    account = await account_for(work, integration, integration.client_id, integration.merchant_id)
    if account is None:
        account = _new_account(integration, integration.merchant_id, now)
        await work.accounts.add(account)
    await work.accounts.attach(
        account.id, integration.id, integration.client_id, integration.shop_name or account.shop_name
    )
    return account.id, account.order_cursor


def _new_account(integration: Integration, merchant_id: str, now: datetime) -> Account:
    return Account(
        id=new_id("acc", now),
        tenant=integration.tenant,
        channel=integration.channel,
        environment=integration.environment,
        merchant_id=merchant_id,
        client_id=integration.client_id,
        integration_id=None,
        shop_name=integration.shop_name,
        order_cursor=None,
        listings_at=None,
    )
