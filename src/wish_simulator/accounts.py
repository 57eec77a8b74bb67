"""Who trades on the marketplace and which apps may act for them."""

from dataclasses import dataclass, field
from typing import Literal

from wish_simulator.ids import object_id, random_token

ALL_SCOPES = (
    "merchant:read",
    "merchant:write",
    "orders:read",
    "orders:write",
    "products:read",
    "products:write",
    "webhook:read",
    "webhook:write",
)

RevenueType = Literal["COST_BASED", "REV_SHARE"]
AppKind = Literal["private", "public"]


@dataclass
class Merchant:
    id: str
    login: str
    password: str = field(repr=False)
    display_name: str
    currency: str = "USD"
    revenue_type: RevenueType = "REV_SHARE"
    is_disabled: bool = False


@dataclass
class App:
    """A private app has an owner and acts for that merchant only; a public one acts for many."""

    name: str
    redirect_uri: str
    scopes: tuple[str, ...] = ALL_SCOPES
    kind: AppKind = "private"
    owner_id: str | None = None
    client_id: str = field(default_factory=object_id)
    secrets: list[str] = field(default_factory=lambda: [random_token()], repr=False)

    @property
    def newest_secret(self) -> str:
        return self.secrets[-1]

    def add_secret(self) -> str:
        """A second secret; the older of two makes room, so at most two are ever valid."""
        self.secrets = [*self.secrets[-1:], random_token()]
        return self.newest_secret

    def drop_oldest_secret(self) -> None:
        self.secrets = self.secrets[-1:]

    def may_act_for(self, merchant: Merchant) -> bool:
        return self.kind == "public" or self.owner_id in (None, merchant.id)


class Accounts:
    def __init__(self) -> None:
        self.merchants: dict[str, Merchant] = {}
        self.apps: dict[str, App] = {}

    def add_merchant(self, merchant: Merchant) -> None:
        if any(other.login == merchant.login for other in self.merchants.values()):
            raise ValueError(f"the log-in name {merchant.login} is taken")
        self.merchants[merchant.id] = merchant

    def add_app(self, app: App) -> App:
        self.apps[app.client_id] = app
        return app

    def signed_in_as(self, login: str, password: str) -> Merchant | None:
        matching = (
            merchant
            for merchant in self.merchants.values()
            if merchant.login == login and merchant.password == password
        )
        return next(matching, None)

    def apps_of(self, merchant: Merchant) -> list[App]:
        return [app for app in self.apps.values() if app.owner_id == merchant.id]
