"""HTML pages: templates with escaping, and who is signed in."""

from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from wish_simulator.accounts import Merchant
from wish_simulator.ids import random_token
from wish_simulator.marketplace import Marketplace

SESSION_COOKIE = "wish_session"


class Pages:
    def __init__(self, market: Marketplace) -> None:
        self._market = market
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
        )

    def show(self, template: str, status: int = 200, **values: object) -> Response:
        page = self._templates.get_template(template).render(values)
        return HTMLResponse(page, status, {"Cache-Control": "no-store"})

    def message(self, title: str, text: str) -> Response:
        return self.show("message.html", title=title, text=text)

    def merchant_of(self, request: Request) -> Merchant | None:
        merchant_id = self._market.sessions.get(request.cookies.get(SESSION_COOKIE, ""))
        return None if merchant_id is None else self._market.accounts.merchants.get(merchant_id)

    def log_in_page(self, next_url: str, is_wrong: bool = False) -> Response:
        """Shows the log-in names and passwords too: this is a toy and nobody should have to search for them."""
        merchants = list(self._market.accounts.merchants.values())[:5]
        return self.show("log_in.html", next_url=next_url, is_wrong=is_wrong, merchants=merchants)

    def signed_in(self, merchant: Merchant, next_url: str) -> Response:
        session = random_token()
        self._market.sessions[session] = merchant.id
        response = RedirectResponse(local_path(next_url), 303)
        response.set_cookie(SESSION_COOKIE, session, httponly=True, samesite="lax")
        return response


def local_path(url: str) -> str:
    """The URL if it stays on this host, else the front page."""
    is_local = url.startswith("/") and not url.startswith("//") and "\\" not in url
    return url if is_local else "/"


def with_query(url: str, values: dict[str, str]) -> str:
    """The URL with more query parameters; those it already had stay."""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(values)) if part)
    return urlunsplit(parts._replace(query=query))


def path_with_query(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
