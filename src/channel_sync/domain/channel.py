"""What a marketplace must be able to do for us. `channels/<name>/` implements it, flows see only this."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from channel_sync.domain.calls import CallContext
from channel_sync.domain.channel_rules import ChannelRules
from channel_sync.domain.job_state import JobState
from channel_sync.domain.listings import ChannelListing, ProductStock, StockOutcome
from channel_sync.domain.order_changes import Parcel
from channel_sync.domain.order_files import OrderFilePart, OrderJob
from channel_sync.domain.orders import OrderPage, OrderQuery, UnreadPage
from channel_sync.domain.secrets import MoreCredentials, Secret


class Environment(StrEnum):
    """Which of a marketplace's worlds an account lives in."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"


@dataclass(frozen=True, slots=True)
class ChannelDescription:
    """What a seller needs to know to add the channel. Steps are in the order they are done.

    `setup_steps` are those with an app of the seller's own, `consent_steps` those with the platform's.
    """

    type: str
    name: str
    logo_svg: bytes
    credential_fields: tuple[str, ...]
    currencies: tuple[str, ...]
    setup_steps: tuple[str, ...]
    consent_steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class App:
    """An application at the marketplace, the merchant's own or the platform's one for all of them.

    `more` is what else the marketplace wants, by field.
    """

    client_id: str
    client_secret: Secret
    environment: Environment
    more: MoreCredentials = ()
    of_platform: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """What a merchant's consent gave us. `expires_at` is the access token's.

    Scopes are as granted; None where the marketplace does not tell them, and a renewal has those of before.
    `ends_at` is when the consent itself ends and has to be given anew, where the marketplace says so.
    """

    access_token: Secret
    refresh_token: Secret
    expires_at: datetime
    merchant_id: str
    scopes: tuple[str, ...] | None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """What the merchant is asked with. The challenge is PKCE S256; `more` is that of the `App`."""

    client_id: str
    environment: Environment
    state: str
    code_challenge: str
    more: MoreCredentials = ()


@dataclass(frozen=True, slots=True)
class Consent:
    """The proof that goes with an authorization code: the redirect address used, and the PKCE verifier.

    Without a verifier where the consent was not asked for by us.
    """

    code: Secret
    code_verifier: Secret | None
    redirect_url: str


@dataclass(frozen=True, slots=True)
class ShopAccess:
    """What one remote call needs. `generation` tells which credentials these are.

    With `is_nobodys` the id is that of a shop that no integration has yet: no other process calls for it.
    """

    integration_id: str
    environment: Environment
    token: Secret
    generation: int
    is_nobodys: bool = False


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A place at the marketplace where units of a listing lie. `kind` is the marketplace's word, in lower case."""

    id: str
    name: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class CatalogueJob:
    """A catalogue download at the marketplace; `file_urls` are there once it is READY."""

    state: JobState
    file_urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogueBatch:
    """Listings of a catalogue or a product; `left_out` counts what stood among them and could not be read.

    `deleted` counts products that the marketplace goes on showing although they are there no more.
    """

    listings: tuple[ChannelListing, ...]
    left_out: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class StockJob:
    """A bulk stock update at the marketplace. Once READY, `refused` maps product id to (code, reason)."""

    state: JobState
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangedProducts:
    """Ids of products changed since a moment, oldest first. `complete` is false when there are more."""

    product_ids: tuple[str, ...]
    until: datetime | None
    complete: bool


class Shop(Protocol):
    """One merchant's shop, reached with one access token. Every method may raise any `ChannelError`."""

    async def merchant_id(self) -> str:
        """The merchant the token belongs to; the cheapest proof that it works."""
        ...

    async def name(self) -> str | None:
        """What the shop is called, where the marketplace tells it."""
        ...

    async def orders(self, query: OrderQuery) -> OrderPage | UnreadPage:
        """One page of orders, oldest first, and the query for the next one.

        One too large to be read while others wait comes unread; an instant with too many for a page comes whole.
        """
        ...

    async def start_order_job(self, query: OrderQuery) -> str:
        """The id of a newly queued download of a query's orders."""
        ...

    async def order_job(self, job_id: str) -> OrderJob:
        """How far the download is; the addresses of its files are good for a while."""
        ...

    def order_file(self, job: OrderJob, number: int, passed: int) -> AsyncIterator[OrderFilePart]:
        """The orders of a finished download's file behind those `passed`, some hundred at a time, in any order.

        A value that is no order is unreadable; a file that is no list of them is not understood.
        """
        ...

    async def order(self, channel_order_id: str) -> OrderPage:
        """One order read anew: a page of one order or of one unreadable order. `NotAtChannel` if there is none."""
        ...

    async def carriers(self, country: str | None) -> tuple[str, ...]:
        """Names that the marketplace takes for carriers.

        With a country, ISO 3166, those it takes where it wants delivery there to be confirmed.
        """
        ...

    async def dispatch(self, channel_order_id: str, parcel: Parcel) -> OrderPage:
        """Tell that an order is on its way, or with which parcel it is instead: the order with its progress.

        The marketplace carries it out later. `ChannelRefused` where it does not take it.
        """
        ...

    async def refund_reasons(self, channel_order_id: str) -> tuple[str, ...]:
        """The reasons that the marketplace allows for the order now, by its own names; there may be none."""
        ...

    async def refund(self, channel_order_id: str, reason: str) -> OrderPage:
        """Cancel an order that is not shipped, or pay one back that is, as a whole: the order with its progress.

        The marketplace carries it out later. `ChannelRefused` where it does not take it.
        """
        ...

    async def start_catalogue(self) -> str:
        """The id of a newly queued download of the whole catalogue."""
        ...

    async def catalogue_job(self, job_id: str) -> CatalogueJob:
        """How far the download is."""
        ...

    def catalogue(self, file_urls: Sequence[str]) -> AsyncIterator[CatalogueBatch]:
        """The listings of a finished download, a few hundred at a time."""
        ...

    async def changed_products(self, since: datetime) -> ChangedProducts:
        """Products whose row at the marketplace changed at or after `since`, or that were deleted since."""
        ...

    async def product(self, product_id: str) -> CatalogueBatch:
        """The listings of one product, with their stock as it is now. `NotAtChannel` if it is there no more."""
        ...

    async def warehouses(self) -> tuple[Warehouse, ...]:
        """The merchant's warehouses as the marketplace orders them; the first is where stock goes by default."""
        ...

    async def set_stock(self, product: ProductStock) -> tuple[StockOutcome, ...]:
        """Set absolute stock of one product's listings at once; an outcome for each of them."""
        ...

    async def start_stock_job(self, products: Sequence[ProductStock]) -> str:
        """The id of a newly queued update of many products."""
        ...

    async def stock_job(self, job_id: str) -> StockJob:
        """How far the update is, and what it refused."""
        ...


class Channel(Protocol):
    """One marketplace."""

    @property
    def description(self) -> ChannelDescription:
        """What a seller sees when adding the channel."""
        ...

    @property
    def rules(self) -> ChannelRules:
        """How it wants to be dealt with."""
        ...

    @property
    def reader(self) -> str:
        """Which code reads its replies: once it is another, what could not be read may be readable."""
        ...

    @property
    def required_scopes(self) -> frozenset[str]:
        """Scopes without which the jobs cannot work."""
        ...

    def issuer(self, environment: Environment) -> str:
        """Who gives codes there, as RFC 9207 has it told with them: an address, of which the origin counts."""
        ...

    def consent_url(self, asked: ConsentRequest) -> str:
        """Where the merchant's browser goes to give consent."""
        ...

    async def redeem(self, app: App, consent: Consent) -> Grant:
        """The grant for an authorization code; a code works once. `GrantRejected` if it does not."""
        ...

    async def renew(self, app: App, refresh_token: Secret) -> Grant:
        """A new grant; the access tokens given so far stop working. `GrantRejected` if it is refused."""
        ...

    def shop(self, access: ShopAccess, context: CallContext) -> Shop:
        """The shop that the token opens."""
        ...

    def read_order(self, raw: bytes) -> OrderPage:
        """A kept reply read again, without a call: a page of one order or of one unreadable order."""
        ...
