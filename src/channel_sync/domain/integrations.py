"""Integrations: one connection of a tenant to one merchant account at a marketplace."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from channel_sync.domain.brakes import Brake
from channel_sync.domain.channel import Environment
from channel_sync.domain.codes import CallbackError, ErrorCode, StatusReason
from channel_sync.domain.errors import Conflict
from channel_sync.domain.fast_dataclass import fast_dataclass
from channel_sync.domain.listings import Omitted
from channel_sync.domain.stock import StockSettings

# The marketplace ended a grant minutes after it was renewed. That may be a mistake, or the work of a renewal of
# ours that came late, so it is asked once more by itself; every other reason for a rejection waits for a person.
GRANT_REVOKED: Final = "grant_revoked"
# So long it is tried to renew a token before that is told, if half of the time for it is not shorter.
_FAILING_LONG = timedelta(hours=1)
# A person has to find the time for it.
CONSENT_ENDS_SOON = timedelta(days=14)
DRAFT_LIFETIME = timedelta(minutes=60)
# A seller who has consented is not to lose that over the last step, which may be somebody else's to take.
CONNECTED_DRAFT_LIFETIME = timedelta(days=7)
RESTORABLE_FOR = timedelta(days=30)


class Status(StrEnum):
    """The one word a list shows, derived from what the user wants and what the marketplace says."""

    DRAFT = "draft"
    ACTIVE = "active"
    DISABLED = "disabled"
    NEEDS_REAUTH = "needs_reauth"
    PAUSED = "paused"
    REMOVED = "removed"


_REFUSALS: dict[Status, ErrorCode] = {
    Status.DRAFT: "integration_draft",
    Status.DISABLED: "integration_disabled",
    Status.NEEDS_REAUTH: "integration_needs_reauth",
    Status.PAUSED: "integration_paused",
    Status.REMOVED: "integration_removed",
}


class AuthState(StrEnum):
    """What the marketplace says about the grant."""

    NONE = "none"
    PENDING = "pending"
    CONNECTED = "connected"
    EXPIRING = "expiring"
    REJECTED = "rejected"


# Seconds between two downloads of orders, and two pushes of stock.
MIN_ORDER_INTERVAL_S = 15
MIN_STOCK_INTERVAL_S = 1
MAX_INTERVAL_S = 86_400


@dataclass(frozen=True, slots=True)
class OrderSettings:
    """Order download of one integration; without `interval_s` the service's default counts."""

    enabled: bool = True
    interval_s: int | None = None


@dataclass(frozen=True, slots=True)
class IntegrationSettings:
    """What the seller may set for one integration."""

    orders: OrderSettings = field(default_factory=OrderSettings)
    stock: StockSettings = field(default_factory=StockSettings)


@dataclass(frozen=True, slots=True)
class Authorisation:
    """How the last attempt to give or renew the merchant's consent ended; `error` where it failed."""

    at: datetime
    error: CallbackError | None = None


@fast_dataclass
class Integration:
    """A connection without its secrets: of those only the last four characters are here.

    With `platform_app` it works with the platform's application, whose secret is kept with no integration.
    """

    id: str
    tenant: str
    channel: str
    environment: Environment
    name: str
    client_id: str
    client_secret_last4: str
    client_secret_updated_at: datetime
    created_at: datetime
    updated_at: datetime
    status_since: datetime
    orders_from: datetime
    settings: IntegrationSettings = field(default_factory=IntegrationSettings)
    enabled: bool = True
    default_currency: str | None = None
    draft_expires_at: datetime | None = None
    activated_at: datetime | None = None
    removed_at: datetime | None = None
    pending_until: datetime | None = None
    last_authorisation: Authorisation | None = None
    account_id: str | None = None
    merchant_id: str | None = None
    shop_name: str | None = None
    scopes: tuple[str, ...] = ()
    access_token_last4: str | None = None
    access_token_expires_at: datetime | None = None
    refresh_token_last4: str | None = None
    grant_ends_at: datetime | None = None
    renewal_failing_since: datetime | None = None
    platform_app: bool = False
    rejected_reason: StatusReason | None = None
    paused_reason: StatusReason | None = None
    degraded_reason: str | None = None
    generation: int = 0
    version: int = 1

    @property
    def status(self) -> Status:
        """The derived status; what keeps it from working comes before what it is set to."""
        if self.removed_at is not None:
            return Status.REMOVED
        if self.activated_at is None:
            return Status.DRAFT
        if not self.enabled:
            return Status.DISABLED
        if self.rejected_reason is not None or self.access_token_last4 is None:
            return Status.NEEDS_REAUTH
        return Status.ACTIVE if self.paused_reason is None else Status.PAUSED

    @property
    def status_reason(self) -> StatusReason | None:
        """Why the status is what it is, where there is more to say."""
        if self.rejected_reason or self.paused_reason:
            return self.rejected_reason or self.paused_reason
        if self.status is Status.DRAFT and self.connected:
            return "currency_missing"
        return "degraded" if self.degraded_reason is not None and self.status is Status.ACTIVE else None

    @property
    def connected(self) -> bool:
        """Whether there is a grant that the marketplace has not rejected."""
        return self.access_token_last4 is not None and self.rejected_reason is None

    def kept_until(self, now: datetime) -> datetime | None:
        """When a draft goes that somebody has just worked on; nothing else ever goes by itself."""
        if self.activated_at is not None:
            return None
        return max(now + DRAFT_LIFETIME, self.draft_expires_at or now)

    @property
    def runnable(self) -> bool:
        """Whether jobs may call the marketplace for it."""
        return self.status is Status.ACTIVE

    def authorise_by(self, now: datetime, overdue: timedelta) -> datetime | None:
        """Until when its merchant has to authorise again, where that is soon.

        A token that renews itself is no reason: the consent ends, where the marketplace says when, or the token
        does, in less than `overdue` and although it was long tried to renew it.
        """
        if not self.connected or self.activated_at is None or self.removed_at is not None:
            return None
        ends = []
        if self.grant_ends_at is not None and self.grant_ends_at - now < CONSENT_ENDS_SOON:
            ends.append(self.grant_ends_at)
        end, since = self.access_token_expires_at, self.renewal_failing_since
        if self.runnable and end is not None and since is not None and now - since >= failing_long(overdue):
            ends += [end] if end - now < overdue else []
        return min(ends, default=None)

    def auth_state(self, now: datetime, overdue: timedelta) -> AuthState:
        """What the marketplace says about the grant, as of `now`; `overdue` as in `authorise_by`."""
        if self.rejected_reason is not None:
            return AuthState.REJECTED
        if self.access_token_expires_at is not None:
            return AuthState.CONNECTED if self.authorise_by(now, overdue) is None else AuthState.EXPIRING
        waiting = self.pending_until is not None and self.pending_until > now
        return AuthState.PENDING if waiting else AuthState.NONE


def failing_long(overdue: timedelta) -> timedelta:
    """How long renewals fail before that is a reason to act; `overdue` is a fifth of the time that there is."""
    return min(_FAILING_LONG, overdue * 5 / 2)


def must_be_runnable(integration: Integration, related_id: str | None = None) -> None:
    """`Conflict` unless jobs may call the marketplace for it; with its id where another thing was named."""
    if not integration.runnable:
        raise Conflict(_REFUSALS[integration.status], f"The integration is {integration.status}.", related_id)


def why_it_rests(integration: Integration | None) -> tuple[ErrorCode, str] | None:
    """Code and sentence of what keeps an integration from calling the marketplace, if anything does."""
    if integration is None:
        return "integration_removed", "The integration was removed for good."
    if integration.runnable:
        return None
    return _REFUSALS[integration.status], f"The integration is {integration.status}; it goes on once it is active."


@dataclass(frozen=True, slots=True)
class Account:
    """A merchant account at a marketplace: owns orders, listings and the cursor, and outlives integrations.

    With `resend_after` its listings behind that id are still to be told their stock by changed rules. `omitted` is
    what this shop's stock writes were seen to do to warehouses that they do not name. With a `brake` no stock is
    sent; what waited when a person released it last is sent whatever it empties.
    """

    id: str
    tenant: str
    channel: str
    environment: Environment
    merchant_id: str
    client_id: str
    integration_id: str | None
    shop_name: str | None
    order_cursor: datetime | None
    listings_at: datetime | None
    resend_after: str | None = None
    omitted: Omitted | None = None
    brake: Brake | None = None
    brake_released_at: datetime | None = None


class AttemptKind(StrEnum):
    """What an OAuth attempt is for."""

    CONNECT = "connect"
    REAUTHORISE = "reauthorise"
