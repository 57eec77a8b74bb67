"""The pages a merchant sees while connecting an app: log in, consent, app store."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from wish_simulator.accounts import App, Merchant
from wish_simulator.marketplace import Marketplace
from wish_simulator.pages import Pages, path_with_query, with_query


class OAuthPages:
    def __init__(self, market: Marketplace, pages: Pages) -> None:
        self._market = market
        self._pages = pages

    def routes(self) -> list[Route]:
        return [
            Route("/v3/oauth/authorize", self.authorize, methods=["GET"]),
            Route("/v3/oauth/authorize", self.decide, methods=["POST"]),
            Route("/log-in", self.log_in, methods=["POST"]),
            Route("/log-in", self.show_log_in, methods=["GET"]),
            Route("/log-out", self.log_out, methods=["POST"]),
            Route("/app-store", self.app_store, methods=["GET"]),
        ]

    async def show_log_in(self, request: Request) -> Response:
        return self._pages.log_in_page(request.query_params.get("next", "/"))

    async def log_in(self, request: Request) -> Response:
        form = await request.form()
        next_url = str(form.get("next", "/"))
        merchant = self._market.accounts.signed_in_as(str(form.get("login", "")), str(form.get("password", "")))
        if merchant is None:
            return self._pages.log_in_page(next_url, is_wrong=True)
        return self._pages.signed_in(merchant, next_url)

    async def log_out(self, request: Request) -> Response:
        response = RedirectResponse("/", 303)
        response.delete_cookie("wish_session")
        return response

    async def authorize(self, request: Request) -> Response:
        """The consent page. Only `client_id` is documented; everything else in the query is ignored."""
        app = self._market.accounts.apps.get(request.query_params.get("client_id", ""))
        if app is None:
            return self._pages.message("Unknown app", "No app has this client id. Check it in the app settings.")
        merchant = self._pages.merchant_of(request)
        if merchant is None:
            return self._pages.log_in_page(path_with_query(request))
        if not app.may_act_for(merchant):
            return self._pages.message("Private app", "This private app belongs to another merchant.")
        state = request.query_params.get("state", "")
        if self._market.switches.skip_consent:
            return self._back_with_code(app, merchant, state)
        return self._pages.show("consent.html", app=app, merchant=merchant, state=state)

    async def decide(self, request: Request) -> Response:
        form = await request.form()
        app = self._market.accounts.apps.get(str(form.get("client_id", "")))
        merchant = self._pages.merchant_of(request)
        if app is None or merchant is None or not app.may_act_for(merchant):
            return self._pages.message("Signed out", "Please log in and open the app's link again.")
        if form.get("decision") == "allow":
            return self._back_with_code(app, merchant, str(form.get("state", "")))
        if self._market.switches.denial == "page":
            return self._pages.message("Not connected", "You did not allow the app. You can close this page.")
        return self._back(app, {"error": "access_denied"}, str(form.get("state", "")))

    async def app_store(self, request: Request) -> Response:
        """Starting from Wish's side: such a flow cannot carry a state of the app's."""
        merchant = self._pages.merchant_of(request)
        if merchant is None:
            return self._pages.log_in_page("/app-store")
        apps = [app for app in self._market.accounts.apps.values() if app.may_act_for(merchant)]
        return self._pages.show("app_store.html", apps=apps, merchant=merchant)

    def _back_with_code(self, app: App, merchant: Merchant, state: str) -> Response:
        return self._back(app, {"code": self._market.grants.consent(app, merchant)}, state)

    def _back(self, app: App, values: dict[str, str], state: str) -> Response:
        if state and self._market.switches.echo_state:
            values = {**values, "state": state}
        return RedirectResponse(with_query(app.redirect_uri, values), 302)
