"""What goes into the operations on integrations."""

from typing import Annotated

from pydantic import Field, StrictBool, StrictInt, with_config
from typing_extensions import TypedDict

from channel_sync.api.fields import EXACT, ClientId, Currency, Input, Moment, Name, SecretText, Url
from channel_sync.domain.channel import Environment

MIN_ORDER_INTERVAL_S = 15
MAX_INTERVAL_S = 86_400
MAX_UNITS = 500_000

Interval = Annotated[StrictInt, Field(le=MAX_INTERVAL_S)]
Units = Annotated[StrictInt, Field(ge=0, le=MAX_UNITS)]


class IntegrationInput(Input):
    """A new integration. `orders_from` is compared with the marketplace's own `updated_at`."""

    channel: Annotated[str, Field(min_length=1, max_length=40)]
    name: Name
    client_id: ClientId
    client_secret: SecretText
    default_currency: Currency | None = None
    environment: Environment = Environment.PRODUCTION
    return_url: Url | None = None
    orders_from: Moment | None = None


@with_config(EXACT)
class OrderSettingsInput(TypedDict, total=False):
    """Changes to the order download. What is left out is kept, null takes it back to its default."""

    enabled: StrictBool | None
    interval_s: Annotated[Interval, Field(ge=MIN_ORDER_INTERVAL_S)] | None


@with_config(EXACT)
class StockSettingsInput(TypedDict, total=False):
    """Changes to the stock push. What is left out is kept, null takes it back to its default.

    For `warehouse_id` that is the marketplace's first warehouse.
    """

    enabled: StrictBool | None
    interval_s: Annotated[Interval, Field(ge=1)] | None
    buffer: Units | None
    maximum: Units | None
    percent: Annotated[StrictInt, Field(ge=1, le=100)] | None
    warehouse_id: Annotated[str, Field(min_length=1, max_length=200)] | None


@with_config(EXACT)
class SettingsInput(TypedDict, total=False):
    """Changes to the settings. What is left out is kept."""

    orders: OrderSettingsInput
    stock: StockSettingsInput


@with_config(EXACT)
class IntegrationPatch(TypedDict, total=False):
    """Changes to an integration. What is left out is kept; null is refused, but for single settings."""

    name: Name
    default_currency: Currency
    client_id: ClientId
    client_secret: SecretText
    settings: SettingsInput


class StatusInput(Input):
    """What the user wants."""

    enabled: StrictBool


class ReauthoriseInput(Input):
    """Where the browser comes back to, and new application credentials if there are any."""

    client_id: ClientId | None = None
    client_secret: SecretText | None = None
    return_url: Url | None = None


class CredentialsInput(Input):
    """The four fields pasted by hand."""

    client_id: ClientId
    client_secret: SecretText
    access_token: SecretText
    refresh_token: SecretText
