"""What goes into the operations on integrations."""

from typing import Annotated

from pydantic import Field, StrictBool, StrictInt, with_config
from typing_extensions import TypedDict

from channel_sync.api.http.fields import (
    EXACT,
    ClientId,
    Currency,
    Input,
    Moment,
    Name,
    Percent,
    SecretText,
    Units,
    Url,
)
from channel_sync.api.stock_schemas import OurWarehouse
from channel_sync.domain.channel import Environment
from channel_sync.domain.integrations import MAX_INTERVAL_S, MIN_ORDER_INTERVAL_S, MIN_STOCK_INTERVAL_S
from channel_sync.domain.stock import DriftPolicy

WarehouseId = Annotated[str, Field(min_length=1, max_length=200)]
Interval = Annotated[StrictInt, Field(le=MAX_INTERVAL_S)]
MoreCredentials = Annotated[dict[str, SecretText], Field(max_length=10)]


class IntegrationInput(Input):
    """A new integration."""

    channel: Annotated[str, Field(min_length=1, max_length=40)]
    """The `type` of one of `GET /channels`."""
    name: Name
    """What people call it."""
    client_id: ClientId | None = None
    """Of an app that the seller made at the marketplace; without it and its secret the platform's own is used."""
    client_secret: SecretText | None = None
    """Of the same app. It is never shown again, not even masked."""
    more_credentials: MoreCredentials | None = None
    """What else the channel names in its `credential_fields`, by field; never shown again either."""
    claim: SecretText | None = None
    """What the browser of a seller brought who added the platform's app in the marketplace's own store."""
    default_currency: Currency | None = None
    """ISO 4217, one of the channel's. With it the wizard's last step is not needed."""
    environment: Environment = Environment.PRODUCTION
    """Fixed once it is connected."""
    return_url: Url | None = None
    """Where the browser goes at the end, at one of the origins that the operator lists."""
    orders_from: Moment | None = None
    """The first order to fetch, by the marketplace's own time of change; by default 30 days back."""


@with_config(EXACT)
class OrderSettingsInput(TypedDict, total=False):
    """Changes to the order download. What is left out is kept, null takes it back to its default."""

    enabled: StrictBool | None
    """Whether orders are fetched; by default they are."""
    interval_s: Annotated[Interval, Field(ge=MIN_ORDER_INTERVAL_S)] | None
    """Seconds between two downloads; by default what the operator set."""


@with_config(EXACT)
class StockSettingsInput(TypedDict, total=False):
    """Changes to the stock push. What is left out is kept, null takes it back to its default."""

    enabled: StrictBool | None
    """Whether stock is pushed; by default it is."""
    interval_s: Annotated[Interval, Field(ge=MIN_STOCK_INTERVAL_S)] | None
    """Seconds between two pushes; by default what the operator set."""
    buffer: Units | None
    """So many units are kept back; by default none."""
    maximum: Units | None
    """No listing shows more than this; by default there is no such limit."""
    percent: Percent | None
    """The share of what is left after the buffer, rounded down; by default all of it."""
    end_when: Units | None
    """Where less than this is left after buffer and share, the listing shows none; by default it never is."""
    brake_percent: Percent | None
    """A push that would set more than this share of the listings, and 20 or more, to zero is stopped; by default
    50, and with 100 none is."""
    drift: DriftPolicy | None
    """What becomes of units that somebody else changed at the marketplace; by default they are reported.

    `correct` sends ours again, three times within a week at most. With `off` nothing is said of them."""
    warehouse_id: WarehouseId | None
    """Where the units lie, one of `GET /integrations/{id}/warehouses`; null chooses the first one anew."""
    warehouses: Annotated[dict[OurWarehouse, WarehouseId | None], Field(max_length=50)] | None
    """The marketplace's warehouse for each of yours, whose levels go there; with null they are not offered here.

    Levels of those that are missing go to `warehouse_id`. What you map is yours: it has no other units."""
    warehouse: Annotated[str, Field(min_length=1, max_length=200)]
    """The same by its name, in any case; where two have it, only the id tells which."""


@with_config(EXACT)
class SettingsInput(TypedDict, total=False):
    """Changes to the settings. What is left out is kept."""

    orders: OrderSettingsInput
    """The order download."""
    stock: StockSettingsInput
    """The stock push."""


@with_config(EXACT)
class IntegrationPatch(TypedDict, total=False):
    """Changes to an integration. What is left out is kept; null is refused, but for single settings."""

    name: Name
    """What people call it."""
    default_currency: Currency
    """ISO 4217, one of the channel's; used where an order names none."""
    client_id: ClientId
    """Of another app at the marketplace; 409 while a grant depends on the present one."""
    client_secret: SecretText
    """A new secret of the app."""
    settings: SettingsInput
    """How the jobs work."""


class ClaimInput(Input):
    """A claim that the browser of a seller brought."""

    claim: SecretText
    """The value of `claim` in the address of your page."""


class StatusInput(Input):
    """What the user wants."""

    enabled: StrictBool
    """Whether the jobs are to work."""


class ReauthoriseInput(Input):
    """Where the browser comes back to, and new application credentials if there are any."""

    client_id: ClientId | None = None
    """Of another app at the marketplace, from the moment that the consent has succeeded."""
    client_secret: SecretText | None = None
    """A new secret of the app, from then on as well."""
    platform_app: StrictBool = False
    """The platform's own app from then on; an integration that uses it needs not say so."""
    return_url: Url | None = None
    """Where the browser goes at the end, at one of the origins that the operator lists."""


class CredentialsInput(Input):
    """The four fields pasted by hand."""

    client_id: ClientId
    """Of the app at the marketplace."""
    client_secret: SecretText
    """Of the same app."""
    access_token: SecretText
    """One that works: it tells which shop it is."""
    refresh_token: SecretText
    """Of the same grant; one renewal proves it."""
