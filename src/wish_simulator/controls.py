"""`/_control`: what a test or a curious person may do to the marketplace behind the merchant's back. No log-in.

Merchants, apps and grants, clock, switches, faults, journal. Orders and products are in `shop_controls`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wish_simulator.accounts import ALL_SCOPES, App, AppKind
from wish_simulator.clock import written
from wish_simulator.documents import to_bytes
from wish_simulator.faults import Fault, Hold
from wish_simulator.grants import AccessToken, Grant
from wish_simulator.limiter import Key
from wish_simulator.marketplace import Marketplace
from wish_simulator.refusals import Refusal, UnknownId
from wish_simulator.replies import JsonReply
from wish_simulator.seeds import demo
from wish_simulator.trade import NothingForSale

Control = Callable[[Request, bytes], Awaitable[Any]]


class NewMerchant(msgspec.Struct, forbid_unknown_fields=True):
    login: str
    display_name: str = "A shop"
    password: str | None = None
    currency: str = "USD"
    revenue_type: str = "REV_SHARE"


class NewApp(msgspec.Struct, forbid_unknown_fields=True):
    redirect_uri: str
    name: str = "An app"
    scopes: tuple[str, ...] = ALL_SCOPES
    kind: AppKind = "private"
    owner_id: str | None = None


class AppChange(msgspec.Struct, forbid_unknown_fields=True):
    redirect_uri: str


class Pair(msgspec.Struct):
    """An app and a merchant; `seconds` for throttling, `scopes` for granting less than the app asks."""

    client_id: str
    merchant_id: str
    seconds: float = 1
    scopes: list[str] | None = None


class ClockChange(msgspec.Struct, forbid_unknown_fields=True):
    advance_s: float = 0
    offset_s: float | None = None


class Reset(msgspec.Struct, forbid_unknown_fields=True):
    seed: str | None = None
    keep_switches: bool = False


def control_route(method: str, path: str, control: Control) -> Route:
    """JSON in, JSON out; 400 with the reason when the request cannot be understood."""

    async def enter(request: Request) -> Response:
        try:
            return JsonReply(to_bytes(await control(request, await request.body() or b"{}")))
        except (ValueError, LookupError, Refusal, NothingForSale) as error:
            return JsonReply(to_bytes({"error": f"{type(error).__name__}: {error}"}), 400)

    return Route(f"/_control{path}", enter, methods=[method])


class Controls:
    def __init__(self, market: Marketplace) -> None:
        self._market = market

    def routes(self) -> list[Route]:
        table: tuple[tuple[str, str, Control], ...] = (
            ("POST", "/reset", self.reset),
            ("POST", "/merchants", self.add_merchant),
            ("PATCH", "/merchants/{id}", self.change_merchant),
            ("POST", "/apps", self.add_app),
            ("PATCH", "/apps/{id}", self.change_app),
            ("POST", "/apps/{id}/secrets", self.add_secret),
            ("DELETE", "/apps/{id}/secrets/oldest", self.drop_secret),
            ("POST", "/codes", self.add_code),
            ("POST", "/grants", self.add_grant),
            ("GET", "/grants", self.list_grants),
            ("POST", "/grants/expire", self.expire),
            ("POST", "/grants/revoke", self.revoke),
            ("POST", "/throttle", self.throttle),
            ("GET", "/switches", self.switches),
            ("PATCH", "/switches", self.change_switches),
            ("POST", "/faults", self.arm),
            ("GET", "/faults", self.list_faults),
            ("DELETE", "/faults", self.disarm),
            ("POST", "/hold", self.hold),
            ("GET", "/hold", self.held),
            ("POST", "/release", self.release),
            ("GET", "/journal", self.journal),
            ("GET", "/counters", self.counters),
            ("POST", "/clock", self.move_clock),
        )
        return [control_route(*line) for line in table]

    async def reset(self, request: Request, body: bytes) -> object:
        wanted = msgspec.json.decode(body, type=Reset)
        self._market.faults.release()
        self._market.reset()
        if not wanted.keep_switches:
            self._market.switches.restore()
        if wanted.seed == "demo":
            demo(self._market)
        return {"merchants": list(self._market.shops)}

    async def add_merchant(self, request: Request, body: bytes) -> object:
        wanted = msgspec.json.decode(body, type=NewMerchant)
        names = {name: value for name, value in msgspec.to_builtins(wanted).items() if value is not None}
        shop = self._market.add_merchant(**names)
        merchant = shop.merchant
        return {
            "id": merchant.id,
            "login": merchant.login,
            "password": merchant.password,
            "warehouse_ids": [warehouse.id for warehouse in shop.warehouses],
        }

    async def change_merchant(self, request: Request, body: bytes) -> object:
        changes = msgspec.json.decode(body, type=dict[str, Any])
        merchant = self._market.accounts.merchants[request.path_params["id"]]
        merchant.is_disabled = bool(changes.get("is_disabled", merchant.is_disabled))
        merchant.display_name = str(changes.get("display_name", merchant.display_name))
        return {"id": merchant.id, "is_disabled": merchant.is_disabled, "display_name": merchant.display_name}

    async def add_app(self, request: Request, body: bytes) -> object:
        wanted = msgspec.json.decode(body, type=NewApp)
        return _app_answer(self._market.add_app(**msgspec.to_builtins(wanted)))

    async def change_app(self, request: Request, body: bytes) -> object:
        app = self._market.accounts.apps[request.path_params["id"]]
        app.redirect_uri = msgspec.json.decode(body, type=AppChange).redirect_uri
        return _app_answer(app)

    async def add_secret(self, request: Request, body: bytes) -> object:
        app = self._market.accounts.apps[request.path_params["id"]]
        app.add_secret()
        return _app_answer(app)

    async def drop_secret(self, request: Request, body: bytes) -> object:
        app = self._market.accounts.apps[request.path_params["id"]]
        app.drop_oldest_secret()
        return _app_answer(app)

    async def add_code(self, request: Request, body: bytes) -> object:
        app, merchant = self._pair(body)
        return {"code": self._market.grants.consent(app, merchant.merchant), "redirect_uri": app.redirect_uri}

    async def add_grant(self, request: Request, body: bytes) -> object:
        app, shop = self._pair(body)
        scopes = msgspec.json.decode(body, type=Pair).scopes
        granted = self._market.grants.grant(app, shop.merchant, None if scopes is None else tuple(scopes))
        return _token_answer(granted)

    async def list_grants(self, request: Request, body: bytes) -> object:
        return [_grant_answer(grant) for grant in self._market.grants.by_app_and_merchant.values()]

    async def expire(self, request: Request, body: bytes) -> object:
        """The access tokens end now; the refresh token stays good."""
        grant = self._grant(body)
        for token in grant.access_tokens:
            token.expires_ms = min(token.expires_ms, self._market.clock.now_ms())
        return _grant_answer(grant)

    async def revoke(self, request: Request, body: bytes) -> object:
        """What the merchant does in the dashboard: every token ends, the refresh token too."""
        grant = self._grant(body)
        grant.revoke()
        return _grant_answer(grant)

    async def throttle(self, request: Request, body: bytes) -> object:
        pair = msgspec.json.decode(body, type=Pair)
        key: Key = (pair.client_id, pair.merchant_id)
        self._market.limiter.throttle(key, pair.seconds)
        return {"remaining": self._market.limiter.remaining(key)}

    async def switches(self, request: Request, body: bytes) -> object:
        return self._market.switches

    async def change_switches(self, request: Request, body: bytes) -> object:
        self._market.switches.change(msgspec.json.decode(body, type=dict[str, Any]))
        return self._market.switches

    async def arm(self, request: Request, body: bytes) -> object:
        self._market.faults.arm(msgspec.json.decode(body, type=Fault))
        return self._market.faults.armed

    async def list_faults(self, request: Request, body: bytes) -> object:
        return self._market.faults.armed

    async def disarm(self, request: Request, body: bytes) -> object:
        self._market.faults.armed.clear()
        return []

    async def hold(self, request: Request, body: bytes) -> object:
        self._market.faults.hold(msgspec.json.decode(body, type=Hold))
        return await self.held(request, body)

    async def held(self, request: Request, body: bytes) -> object:
        return {"waiting": self._market.faults.waiting, "holds": self._market.faults.holds}

    async def release(self, request: Request, body: bytes) -> object:
        released = self._market.faults.waiting
        self._market.faults.release()
        return {"released": released}

    async def journal(self, request: Request, body: bytes) -> object:
        return self._market.journal.since(int(request.query_params.get("since", "0")))

    async def counters(self, request: Request, body: bytes) -> object:
        return self._market.journal.counters

    async def move_clock(self, request: Request, body: bytes) -> object:
        change = msgspec.json.decode(body, type=ClockChange)
        clock = self._market.clock
        offset_s = clock.offset_ms / 1000 if change.offset_s is None else change.offset_s
        clock.offset_ms = int((offset_s + change.advance_s) * 1000)
        self._market.catch_up()
        return {"now": written(clock.now_ms()), "offset_s": clock.offset_ms / 1000}

    def _pair(self, body: bytes) -> tuple[App, Any]:
        pair = msgspec.json.decode(body, type=Pair)
        return self._market.accounts.apps[pair.client_id], self._market.shops[pair.merchant_id]

    def _grant(self, body: bytes) -> Grant:
        pair = msgspec.json.decode(body, type=Pair)
        grant = self._market.grants.by_app_and_merchant.get((pair.client_id, pair.merchant_id))
        if grant is None:
            raise UnknownId("grant")
        return grant


def _app_answer(app: App) -> dict[str, Any]:
    return {
        "client_id": app.client_id,
        "client_secret": app.newest_secret,
        "secrets": app.secrets,
        "redirect_uri": app.redirect_uri,
    }


def _token_answer(token: AccessToken) -> dict[str, Any]:
    return {
        "access_token": token.value,
        "refresh_token": token.grant.refresh_token,
        "expiry_time": written(token.expires_ms, "+00:00"),
        "merchant_id": token.grant.merchant.id,
        "scopes": token.grant.scopes,
        "generation": token.generation,
    }


def _grant_answer(grant: Grant) -> dict[str, Any]:
    return {
        "client_id": grant.app.client_id,
        "merchant_id": grant.merchant.id,
        "generation": grant.generation,
        "is_revoked": grant.is_revoked,
        "expiry_time": written(grant.newest.expires_ms, "+00:00"),
    }
