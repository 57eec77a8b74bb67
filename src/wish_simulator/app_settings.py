"""The page of the merchant dashboard where a private app is made and its secrets are handed out."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from wish_simulator.accounts import ALL_SCOPES, App, Merchant
from wish_simulator.marketplace import Marketplace
from wish_simulator.pages import Pages

PATH = "/settings/apps"


class AppSettings:
    def __init__(self, market: Marketplace, pages: Pages) -> None:
        self._market = market
        self._pages = pages

    def routes(self) -> list[Route]:
        return [
            Route(PATH, self.show, methods=["GET"]),
            Route(PATH, self.create, methods=["POST"]),
            Route(PATH + "/{client_id}", self.change, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        merchant = self._pages.merchant_of(request)
        return self._pages.log_in_page(PATH) if merchant is None else self._page(merchant)

    async def create(self, request: Request) -> Response:
        merchant = self._pages.merchant_of(request)
        if merchant is None:
            return self._pages.log_in_page(PATH)
        form = await request.form()
        redirect_uri = str(form.get("redirect_uri", "")).strip()
        if not _is_redirect_uri(redirect_uri):
            return self._page(merchant, "The redirect URL must start with https:// or http://.")
        scopes = tuple(scope for scope in ALL_SCOPES if scope in form.getlist("scopes"))
        name = str(form.get("name", "")).strip() or "My app"
        self._market.add_app(redirect_uri, name, scopes or ALL_SCOPES, owner_id=merchant.id)
        return RedirectResponse(PATH, 303)

    async def change(self, request: Request) -> Response:
        merchant = self._pages.merchant_of(request)
        if merchant is None:
            return self._pages.log_in_page(PATH)
        app = self._market.accounts.apps.get(request.path_params["client_id"])
        if app is None or app.owner_id != merchant.id:
            return self._page(merchant, "No such app.")
        form = await request.form()
        problem = _apply(app, str(form.get("action", "")), str(form.get("redirect_uri", "")).strip())
        if form.get("action") == "revoke":
            self._revoke(app, merchant)
        return self._page(merchant, problem) if problem else RedirectResponse(PATH, 303)

    def _revoke(self, app: App, merchant: Merchant) -> None:
        grant = self._market.grants.by_app_and_merchant.get((app.client_id, merchant.id))
        if grant is not None:
            grant.revoke()

    def _page(self, merchant: Merchant, problem: str = "") -> Response:
        grants = self._market.grants.by_app_and_merchant
        linked = {client_id for (client_id, _), grant in grants.items() if not grant.is_revoked}
        return self._pages.show(
            "app_settings.html",
            merchant=merchant,
            apps=self._market.accounts.apps_of(merchant),
            scopes=ALL_SCOPES,
            problem=problem,
            linked=linked,
        )


def _apply(app: App, action: str, redirect_uri: str) -> str:
    """What went wrong, or an empty text."""
    match action:
        case "redirect_uri" if _is_redirect_uri(redirect_uri):
            app.redirect_uri = redirect_uri
        case "redirect_uri":
            return "The redirect URL must start with https:// or http://."
        case "add_secret":
            app.add_secret()
        case "drop_secret":
            app.drop_oldest_secret()
        case "revoke":
            pass
        case _:
            return "Nothing was changed."
    return ""


def _is_redirect_uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.fragment
