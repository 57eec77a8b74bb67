"""The marketplace in memory: merchants, apps, grants, shops, and the machinery around them."""

from collections.abc import Iterable

from wish_simulator.accounts import ALL_SCOPES, Accounts, App, AppKind, Merchant
from wish_simulator.agenda import Agenda
from wish_simulator.clock import Clock, written
from wish_simulator.faults import Faults
from wish_simulator.grants import AccessToken, Grants
from wish_simulator.ids import object_id
from wish_simulator.jobs import Files
from wish_simulator.journal import Journal
from wish_simulator.limiter import Limiter
from wish_simulator.shop import Shop
from wish_simulator.subscriptions import Event, Subscriptions
from wish_simulator.switches import Switches


class Marketplace:
    """State only; what happens on it lives in the modules named after it. One event loop, no locks."""

    def __init__(self, switches: Switches | None = None) -> None:
        self.switches = switches or Switches()
        self.reset()

    def reset(self) -> None:
        """Forgets everything; switches go back to their defaults only through `switches.change`."""
        self.clock = Clock()
        self.agenda = Agenda()
        self.accounts = Accounts()
        self.grants = Grants(self.accounts, self.switches, self.clock)
        self.limiter = Limiter(self.switches, self.clock)
        self.faults = Faults()
        self.files = Files()
        self.journal = Journal()
        self.subscriptions = Subscriptions(self.switches, self.clock)
        self.shops: dict[str, Shop] = {}
        self.sessions: dict[str, str] = {}

    def catch_up(self) -> None:
        """Lets everything happen that is due by now."""
        self.agenda.run_until(self.clock.now_ms())

    def later(self, seconds: float) -> int:
        return self.clock.now_ms() + int(seconds * 1000)

    def written(self, ms: int) -> str:
        return written(ms, self.switches.time_suffix)

    def add_merchant(self, login: str = "seller", display_name: str = "A shop", **rest: str) -> Shop:
        """A shop with two warehouses and nothing for sale; the password is the log-in name unless given."""
        merchant = Merchant(
            id=rest.get("id") or object_id(),
            login=login,
            password=rest.get("password", login),
            display_name=display_name,
            currency=rest.get("currency", "USD"),
            revenue_type="COST_BASED" if rest.get("revenue_type") == "COST_BASED" else "REV_SHARE",
        )
        self.accounts.add_merchant(merchant)
        return self.shops.setdefault(merchant.id, Shop(merchant))

    def add_app(
        self,
        redirect_uri: str,
        name: str = "An app",
        scopes: Iterable[str] = ALL_SCOPES,
        kind: AppKind = "private",
        owner_id: str | None = None,
    ) -> App:
        return self.accounts.add_app(App(name, redirect_uri, tuple(scopes), kind, owner_id))

    def platform_app(self, redirect_uri: str) -> App:
        """A public app that acts for every merchant, the same one each time."""
        known = next((app for app in self.accounts.apps.values() if app.kind == "public"), None)
        app = known or self.add_app(redirect_uri, "Channel sync", kind="public")
        app.redirect_uri = redirect_uri
        return app

    def grant(self, app: App, shop: Shop) -> AccessToken:
        """Tokens without the pages."""
        return self.grants.grant(app, shop.merchant)

    def tell(self, topic_name: str, shop: Shop, resource_id: str, content: bytes) -> None:
        """An event for whoever subscribed to it."""
        at_ms = self.clock.now_ms()
        self.subscriptions.emit(topic_name, Event(resource_id, content, at_ms, shop.merchant.id))
