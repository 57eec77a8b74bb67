"""An integration as the API shows it: derived words, masks instead of secrets, freshness from the schedules."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from channel_sync.api.http.fields import optional_timestamp, timestamp
from channel_sync.api.http.problems import NextAction
from channel_sync.api.http.services import Services
from channel_sync.api.integration_schemas import (
    AuthorisationView,
    AuthView,
    ChannelRef,
    CountsView,
    FreshnessView,
    IncidentView,
    IntegrationStatusView,
    IntegrationView,
    JobView,
    SettingsView,
)
from channel_sync.domain.freshness import orders_lag_s
from channel_sync.domain.incidents import Incident
from channel_sync.domain.integrations import Authorisation, Integration, Status
from channel_sync.domain.runs import RunKind
from channel_sync.persistence.database import UnitOfWork
from channel_sync.persistence.schedules import Schedule
from channel_sync.persistence.stock_counts import NOTHING, StockCounts

SHOWN_KINDS = (RunKind.ORDERS, RunKind.STOCK)

_NEVER = Schedule(next_at=None, last_attempt_at=None, last_success_at=None, failures=0, last_error_code=None)


class Progress(Struct, frozen=True, gc=False):
    """What the jobs of one integration did: schedules, waiting stock, how far orders are, what is not in order."""

    schedules: Mapping[RunKind, Schedule]
    counts: StockCounts = NOTHING
    order_cursor: datetime | None = None
    incidents: Sequence[Incident] = ()

    def of(self, kind: RunKind) -> Schedule:
        """The schedule of one kind, or one of a job that never ran."""
        return self.schedules.get(kind, _NEVER)

    def order_lag_s(self, now: datetime) -> int | None:
        """The age of what may be missing of the orders."""
        return orders_lag_s(self.of(RunKind.ORDERS).seen_until, self.order_cursor, now)


async def progress_of(work: UnitOfWork, integrations: Sequence[Integration]) -> dict[str, Progress]:
    """The progress of each integration, by id, read at once."""
    schedules = await work.schedules.of([integration.id for integration in integrations], SHOWN_KINDS)
    account_ids = [i.account_id for i in integrations if i.account_id is not None]
    counts = await work.pushes.counts(account_ids)
    cursors = await work.accounts.order_cursors(account_ids)
    incidents = await work.incidents.open_of([integration.id for integration in integrations])

    def of(integration: Integration) -> Progress:
        account_id = integration.account_id or ""
        found, cursor = counts.get(account_id, NOTHING), cursors.get(account_id)
        return Progress(schedules.get(integration.id, {}), found, cursor, incidents.get(integration.id, ()))

    return {integration.id: of(integration) for integration in integrations}


async def load_view(
    work: UnitOfWork, services: Services, integration: Integration, now: datetime
) -> IntegrationView:
    """One integration as it is shown."""
    progress = await progress_of(work, [integration])
    return integration_view(integration, progress[integration.id], services, now)


def integration_view(
    integration: Integration, progress: Progress, services: Services, now: datetime
) -> IntegrationView:
    """The integration with everything the contract names."""
    return {
        "id": integration.id,
        "channel": channel_ref(services, integration.channel),
        "name": integration.name,
        "environment": integration.environment,
        "status": integration.status,
        "status_reason": integration.status_reason,
        "status_since": timestamp(integration.status_since),
        "next_action": next_action(integration, services, now),
        "enabled": integration.enabled,
        "auth": _auth(integration, services, now),
        "last_authorisation": _authorisation(integration.last_authorisation),
        "default_currency": integration.default_currency,
        "settings": _settings(integration, services),
        "wish_webhook": {"url": None, "state": "off"},
        "freshness": _freshness(progress, now),
        "counts": _counts(progress.counts),
        "incidents": _incidents(progress),
        "draft_expires_at": optional_timestamp(integration.draft_expires_at),
        "created_at": timestamp(integration.created_at),
        "updated_at": timestamp(integration.updated_at),
        "version": integration.version,
    }


def status_view(
    integration: Integration, progress: Progress, services: Services, now: datetime
) -> IntegrationStatusView:
    """Whether the integration works, and what to do if it does not."""
    orders = _job(progress.of(RunKind.ORDERS), integration.settings.orders.enabled)
    orders["lag_s"] = progress.order_lag_s(now)
    stock = _job(progress.of(RunKind.STOCK), integration.settings.stock.enabled)
    stock["backlog"] = progress.counts.waiting
    stock["lag_s"] = _seconds_since(progress.counts.waiting_since, now) or 0
    return {
        "id": integration.id,
        "enabled": integration.enabled,
        "status": integration.status,
        "status_reason": integration.status_reason,
        "status_since": timestamp(integration.status_since),
        "auth": _auth(integration, services, now),
        "jobs": {"orders": orders, "stock": stock},
        "counts": _counts(progress.counts),
        "incidents": _incidents(progress),
        "next_action": next_action(integration, services, now),
        "version": integration.version,
    }


def channel_ref(services: Services, channel_type: str) -> ChannelRef:
    """The marketplace with its name and logo; a type that is no longer offered keeps its name only."""
    channel = services.channels.get(channel_type)
    return {
        "type": channel_type,
        "name": channel_type if channel is None else channel.description.name,
        "logo_url": services.settings.address.url(f"/channels/{channel_type}/logo.svg"),
    }


def next_action(integration: Integration, services: Services, now: datetime) -> NextAction | None:
    """The call that brings the integration forward, where there is one."""
    href = services.settings.address.href(f"/integrations/{integration.id}")
    match integration.status:
        case Status.DRAFT if integration.connected:
            return {"method": "PATCH", "href": href, "members": ["default_currency"]}
        case Status.DRAFT | Status.NEEDS_REAUTH:
            return {"method": "POST", "href": f"{href}/reauthorise"}
        case Status.DISABLED:
            return {"method": "PUT", "href": f"{href}/status"}
        case Status.REMOVED:
            return {"method": "POST", "href": f"{href}/restore"}
        case Status.PAUSED:
            return {"method": "POST", "href": f"{href}/verify"}
        case Status.ACTIVE if integration.authorise_by(now, _overdue(integration, services)) is not None:
            return {"method": "POST", "href": f"{href}/reauthorise"}
        case Status.ACTIVE:
            return None


def _overdue(integration: Integration, services: Services) -> timedelta:
    """See `authorise_by`; nothing renews the tokens of a marketplace that is no longer offered."""
    channel = services.channels.get(integration.channel)
    return timedelta() if channel is None else channel.rules.renewal.overdue


def _auth(integration: Integration, services: Services, now: datetime) -> AuthView:
    overdue = _overdue(integration, services)
    access, refresh = integration.access_token_last4, integration.refresh_token_last4
    secret, of_platform = integration.client_secret_last4, integration.platform_app
    return {
        "state": integration.auth_state(now, overdue),
        "authorise_by": optional_timestamp(integration.authorise_by(now, overdue)),
        "merchant_id": integration.merchant_id,
        "shop_name": integration.shop_name,
        "scopes": list(integration.scopes),
        "access_token": {
            "set": access is not None,
            "last4": access,
            "expires_at": optional_timestamp(integration.access_token_expires_at),
        },
        "refresh_token": {"set": refresh is not None, "last4": refresh},
        "platform_app": of_platform,
        "client_id": integration.client_id,
        "client_secret": {
            "set": of_platform or secret != "",
            "last4": secret or None,
            "updated_at": None if of_platform else timestamp(integration.client_secret_updated_at),
        },
    }


def _authorisation(last: Authorisation | None) -> AuthorisationView | None:
    if last is None:
        return None
    result: Literal["connected", "failed"] = "connected" if last.error is None else "failed"
    return {"at": timestamp(last.at), "result": result, "error": last.error}


def _settings(integration: Integration, services: Services) -> SettingsView:
    orders, stock = integration.settings.orders, integration.settings.stock
    return {
        "orders": {
            "enabled": orders.enabled,
            "interval_s": orders.interval_s or services.settings.order_interval_s,
        },
        "stock": {
            "enabled": stock.enabled,
            "interval_s": stock.interval_s or services.settings.stock_interval_s,
            "buffer": stock.buffer,
            "maximum": stock.maximum,
            "percent": stock.percent,
            "end_when": stock.end_when,
            "brake_percent": stock.brake_percent,
            "drift": stock.drift,
            "warehouse_id": stock.warehouse_id,
            "warehouses": stock.warehouses,
        },
    }


def _freshness(progress: Progress, now: datetime) -> FreshnessView:
    orders, stock = progress.of(RunKind.ORDERS), progress.of(RunKind.STOCK)
    return {
        "last_order_sync_at": optional_timestamp(orders.last_success_at),
        "next_order_sync_at": optional_timestamp(orders.next_at),
        "order_lag_s": progress.order_lag_s(now),
        "last_stock_push_at": optional_timestamp(stock.last_success_at),
        "stock_pending": progress.counts.waiting,
        "stock_lag_s": _seconds_since(progress.counts.waiting_since, now) or 0,
    }


def _counts(counts: StockCounts) -> CountsView:
    return {
        "rejected": counts.rejected,
        "drifted": counts.drifted,
        "skipped": counts.skipped,
        "ambiguous": counts.ambiguous,
        "unmapped": counts.unmapped,
        "gone": counts.gone,
        "held": counts.held,
    }


def _incidents(progress: Progress) -> list[IncidentView]:
    return [
        {"kind": incident.kind, "since": timestamp(incident.opened_at), "message": incident.message}
        for incident in progress.incidents
    ]


def _job(schedule: Schedule, enabled: bool) -> JobView:
    return {
        "enabled": enabled,
        "last_success_at": optional_timestamp(schedule.last_success_at),
        "last_attempt_at": optional_timestamp(schedule.last_attempt_at),
        "next_at": optional_timestamp(schedule.next_at),
        "lag_s": None,
        "backlog": None,
        "failures": schedule.failures,
        "last_error_code": schedule.last_error_code,
    }


def _seconds_since(moment: datetime | None, now: datetime) -> int | None:
    return None if moment is None else max(0, int((now - moment).total_seconds()))
