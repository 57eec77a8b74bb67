"""An integration as the API shows it: what goes out of its operations."""

from typing import Annotated, Literal

from typing_extensions import TypedDict

from channel_sync.api.http.fields import (
    Timestamp,
    one_of,
)
from channel_sync.api.http.problems import NextAction
from channel_sync.domain.channel import Environment
from channel_sync.domain.codes import CALLBACK_ERRORS, STATUS_REASONS
from channel_sync.domain.incidents import IncidentKind
from channel_sync.domain.integrations import AuthState, Status
from channel_sync.domain.stock import DriftPolicy

StatusReasonView = Annotated[str, one_of(STATUS_REASONS)]


class ChannelRef(TypedDict):
    """The marketplace, as a list row shows it."""

    type: str
    name: str
    logo_url: str


class SecretView(TypedDict):
    """A secret that is never shown."""

    set: bool
    last4: str | None
    updated_at: Timestamp | None


class AccessTokenView(TypedDict):
    """An access token that is never shown."""

    set: bool
    last4: str | None
    expires_at: Timestamp | None


class RefreshTokenView(TypedDict):
    """A refresh token that is never shown."""

    set: bool
    last4: str | None


class AuthView(TypedDict):
    """What the marketplace says about the grant, and for whom it was given.

    An access token renews itself and needs nobody. Where a person has to act, because the consent ends or renewals
    have failed for long, the state is `expiring` and `authorise_by` says until when. With `platform_app` the
    application is the platform's own, of whose secret nothing is shown.
    """

    state: AuthState
    authorise_by: Timestamp | None
    merchant_id: str | None
    shop_name: str | None
    scopes: list[str]
    access_token: AccessTokenView
    refresh_token: RefreshTokenView
    platform_app: bool
    client_id: str
    client_secret: SecretView


class OrderSettingsView(TypedDict):
    """The order download as it is set; `interval_s` is the one that counts."""

    enabled: bool
    interval_s: int


class StockSettingsView(TypedDict):
    """The stock push as it is set; `interval_s` is the one that counts."""

    enabled: bool
    interval_s: int
    buffer: int
    maximum: int | None
    percent: int
    end_when: int
    brake_percent: int
    drift: DriftPolicy
    warehouse_id: str | None
    warehouses: dict[str, str | None]


class SettingsView(TypedDict):
    """What the seller may set."""

    orders: OrderSettingsView
    stock: StockSettingsView


class WishWebhookView(TypedDict):
    """Whether the marketplace tells us of changes by itself."""

    url: str | None
    state: Literal["off"]


class FreshnessView(TypedDict):
    """How far behind the copies are.

    `order_lag_s` is the age of what may be missing: the seconds since the moment up to which the marketplace has
    shown us every change of an order. That is when the last look began that came to the end of its list, or during
    a long download the newest order so far. It grows while downloads fail or stand still, and while the
    integration is disabled, paused or rejected; it is small for a quiet shop that is looked at. `stock_pending` is
    how many values wait to be sent, counted up to 10000, `stock_lag_s` how long the oldest has been waiting.
    """

    last_order_sync_at: Timestamp | None
    next_order_sync_at: Timestamp | None
    order_lag_s: int | None
    last_stock_push_at: Timestamp | None
    stock_pending: int
    stock_lag_s: int


class CountsView(TypedDict):
    """What is not as it should be, each counted up to 1000.

    Of listings: `rejected` by the marketplace, `drifted` from what it confirmed, `skipped` because another one has
    the SKU or the marketplace takes no stock for it, `unmapped` without a SKU, `gone` from the marketplace. The
    first kind of `skipped` is `ambiguous`, too. Of orders: `held` because they cannot be used.
    """

    rejected: int
    drifted: int
    skipped: int
    ambiguous: int
    unmapped: int
    gone: int
    held: int


class IncidentView(TypedDict):
    """Something that is not in order although the integration goes on working."""

    kind: IncidentKind
    since: Timestamp
    message: str


class AuthorisationView(TypedDict):
    """How the last way to the marketplace and back, or the last pasted credentials, ended."""

    at: Timestamp
    result: Literal["connected", "failed"]
    error: Annotated[str, one_of(CALLBACK_ERRORS)] | None


class IntegrationView(TypedDict):
    """One connection to one merchant account. `status` is derived from `enabled` and `auth`.

    A draft goes by itself at `draft_expires_at`.
    """

    id: str
    channel: ChannelRef
    name: str
    environment: Environment
    status: Status
    status_reason: StatusReasonView | None
    status_since: Timestamp
    next_action: NextAction | None
    enabled: bool
    auth: AuthView
    last_authorisation: AuthorisationView | None
    default_currency: str | None
    settings: SettingsView
    wish_webhook: WishWebhookView
    freshness: FreshnessView
    counts: CountsView
    incidents: list[IncidentView]
    draft_expires_at: Timestamp | None
    created_at: Timestamp
    updated_at: Timestamp
    version: int


class IntegrationPage(TypedDict):
    """Some integrations, and the cursor that goes on."""

    items: list[IntegrationView]
    next_cursor: str | None


class InvitationView(TypedDict):
    """The page to open in the seller's browser; it works once, until `expires_at`."""

    authorise_url: str
    expires_at: Timestamp


class DraftView(IntegrationView):
    """A new integration, and the page to open in the seller's browser; that works until `expires_at`.

    Both are null where a claim has connected it already.
    """

    authorise_url: str | None
    expires_at: Timestamp | None


class ClaimView(TypedDict):
    """The shop that a claim is of, for a person to say whether it is theirs.

    Where it cannot be connected, `error` says why, and `integration_id` which of yours has it.
    """

    channel: ChannelRef
    environment: Environment
    merchant_id: str
    shop_name: str | None
    expires_at: Timestamp
    error: Annotated[str, one_of(("account_already_connected", "account_in_use"))] | None
    integration_id: str | None


class JobView(TypedDict):
    """How one job of the integration does. `backlog` is what waits to be sent; null for orders.

    `lag_s` is `order_lag_s` or `stock_lag_s` of the integration's freshness.
    """

    enabled: bool
    last_success_at: Timestamp | None
    last_attempt_at: Timestamp | None
    next_at: Timestamp | None
    lag_s: int | None
    backlog: int | None
    failures: int
    last_error_code: str | None


class JobsView(TypedDict):
    """Both jobs."""

    orders: JobView
    stock: JobView


class IntegrationStatusView(TypedDict):
    """Whether it is wanted, whether it is allowed, and whether it works."""

    id: str
    enabled: bool
    status: Status
    status_reason: StatusReasonView | None
    status_since: Timestamp
    auth: AuthView
    jobs: JobsView
    counts: CountsView
    incidents: list[IncidentView]
    next_action: NextAction | None
    version: int


class RemovalPreviewView(TypedDict):
    """What a removal would touch. `kept` and `lost` are sentences for the person who decides."""

    open_orders: int
    unsent_stock: int
    mapped_listings: int
    kept: list[str]
    lost: list[str]


class CheckView(TypedDict):
    """One thing that was checked at the marketplace."""

    field: str
    ok: bool
    code: str | None
    message: str


class VerificationView(TypedDict):
    """What the marketplace says right now."""

    ok: bool
    checks: list[CheckView]
    merchant_id: str | None
    shop_name: str | None
    expires_at: Timestamp | None
    latency_ms: int
