"""The way of a seller's browser to the marketplace and back. Pages, not JSON; nothing given is ever repeated."""

import re
from contextlib import suppress
from math import ceil
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from fastapi import APIRouter, Depends, Request, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from channel_sync.api.buckets import Buckets
from channel_sync.api.forwarded import client_of
from channel_sync.api.oauth_words import NOT_OURS, PAGES, READ_AHEAD, UNREADABLE, WHERE_TO_START, ending
from channel_sync.api.pages import Pages
from channel_sync.api.problems import status_of
from channel_sync.api.services import CurrentServices, Services
from channel_sync.domain.errors import ChannelSyncError, StorageUnavailable
from channel_sync.domain.integrations import AttemptKind
from channel_sync.flows.arrivals import Arrival, Callback

router = APIRouter(tags=["connecting"], default_response_class=HTMLResponse)

# Per attempt, or per client address where a visit has nothing of ours with it. A person needs two.
VISITS_PER_S = 1.0
VISITS_AT_ONCE = 60
MAX_VALUE = 2048
MAX_TEXT = 8192
_KNOWN = ("code", "state", "error", "iss", "ticket")
_PLAIN = re.compile(r"[\x20-\x7e]*")


def _query(*names: str) -> dict[str, Any]:
    text = {"type": "string", "maxLength": MAX_VALUE}
    return {"parameters": [{"name": name, "in": "query", "schema": text} for name in names]}


_TICKET = _query("ticket")
_ANSWER_OF_MARKETPLACE = _query("code", "state", "error", "iss")


class Visits:
    """What the pages need besides the services: their templates, and who came how often."""

    def __init__(self) -> None:
        self.pages = Pages()
        self._budget = Buckets(VISITS_PER_S, VISITS_AT_ONCE)

    async def read(self, request: Request, services: Services, *texts: str) -> dict[str, str] | Response:
        """The members of the query and the form, or the page that turns this visit away."""
        given = [_members(text) for text in texts]
        members = {name: value for some in reversed(given) for name, value in (some or {}).items()}
        allowance = self._budget.take(await _counted_as(request, services, members.get("ticket", "")))
        if not allowance.allowed:
            page = self.pages.message(
                429, "Too many visits", "Wait a minute and load the page again.", WHERE_TO_START
            )
            page.headers["Retry-After"] = str(max(1, ceil(allowance.wait_s)))
            return page
        if None in given:
            return self.pages.message(400, "This address is damaged", UNREADABLE, WHERE_TO_START)
        return members

    def failed(self, error: ChannelSyncError) -> Response:
        """The page for an error: its code decides the words."""
        if status_of(error) != status.HTTP_503_SERVICE_UNAVAILABLE:
            return self.ended(error.code)
        page = self.pages.message(503, "One moment", "Load this page again in a few seconds.", WHERE_TO_START)
        page.headers["Retry-After"] = "5"
        return page

    def ended(self, code: str) -> Response:
        """The page for a connection that did not come about."""
        words = ending(code)
        return self.pages.message(words.status, "Not connected", words.text, WHERE_TO_START)


async def _counted_as(request: Request, services: Services, ticket: str) -> str:
    """Whoever holds a link or a cookie of ours has a budget of their own; only strangers share their address's."""
    cookie = request.cookies.get(cookie_name(services), "")
    if ticket or cookie:
        with suppress(StorageUnavailable):
            attempt_id = await services.authorise.recognised(ticket, cookie)
            if attempt_id is not None:
                return attempt_id
    return client_of(request.scope)


def _members(text: str) -> dict[str, str] | None:
    """The members we know, each at most once; None if the text is too large or odd. The rest is not looked at."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return None
    known = [(name, value) for name, value in pairs if name in _KNOWN]
    plain = all(len(value) <= MAX_VALUE and _PLAIN.fullmatch(value) for _, value in known)
    members = dict(known)
    return members if plain and len(members) == len(known) and len(text) <= MAX_TEXT else None


async def current_visits(request: Request) -> Visits:
    """The visits of the app that got the request."""
    visits: Visits = request.app.state.visits
    return visits


CurrentVisits = Annotated[Visits, Depends(current_visits)]


@router.get(
    "/wish/authorise", summary="Show what is about to be connected", responses=PAGES, openapi_extra=_TICKET
)
async def show_authorise_page(request: Request, services: CurrentServices, visits: CurrentVisits) -> Response:
    """A page that names the account and the integration. Looking at it uses nothing up."""
    given = await visits.read(request, services, request.url.query)
    if isinstance(given, Response):
        return given
    ticket = given.get("ticket", "")
    try:
        view = await services.authorise.look(ticket)
    except ChannelSyncError as error:
        return visits.failed(error)
    return visits.pages.authorise(
        title=f"Connect {view.channel_name}",
        channel=view.channel_name,
        integration=view.integration_name,
        client_id=view.client_id,
        shop=view.shop_name,
        merchant_id=view.merchant_id,
        again=view.kind is AttemptKind.REAUTHORISE,
        ticket=ticket,
    )


@router.post(
    "/wish/authorise",
    status_code=status.HTTP_303_SEE_OTHER,
    response_class=RedirectResponse,
    summary="Go on to the marketplace",
    responses=PAGES,
    openapi_extra=_TICKET,
)
async def leave_for_marketplace(request: Request, services: CurrentServices, visits: CurrentVisits) -> Response:
    """The ticket is used up, this browser gets its cookie and goes on to the marketplace's consent page.

    The ticket stands in the address, or in the form as `ticket`.
    """
    form = (await request.body()).decode("ascii", "replace")
    given = await visits.read(request, services, request.url.query, form)
    if isinstance(given, Response):
        return given
    # A form on somebody else's page would skip the page that says what is about to be connected.
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return visits.pages.message(400, "Open the link itself", NOT_OURS, WHERE_TO_START)
    try:
        departure = await services.authorise.proceed(given.get("ticket", ""))
    except ChannelSyncError as error:
        return visits.failed(error)
    response = RedirectResponse(departure.consent_url, status.HTTP_303_SEE_OTHER)
    secure = services.settings.address.is_https
    response.set_cookie(
        cookie_name(services), departure.cookie, departure.max_age_s, secure=secure, httponly=True, samesite="lax"
    )
    return response


@router.get(
    "/wish/callback",
    summary="Come back from the marketplace",
    responses=PAGES,
    openapi_extra=_ANSWER_OF_MARKETPLACE,
)
async def finish_authorisation(request: Request, services: CurrentServices, visits: CurrentVisits) -> Response:
    """Ends in a 303 to the `return_url` with `integration_id`, `result` and `error`, or in a small page.

    Bound to the browser by its cookie: without it nothing changes. However often it is loaded, it works once.
    """
    given = await visits.read(request, services, request.url.query)
    if isinstance(given, Response):
        return given
    if "prefetch" in request.headers.get("sec-purpose", request.headers.get("purpose", "")):
        return visits.pages.message(503, "Not yet", READ_AHEAD, WHERE_TO_START)
    if not given.get("code") and not given.get("error"):
        return visits.pages.message(400, "Nothing to do here", UNREADABLE, WHERE_TO_START)
    cookie = request.cookies.get(cookie_name(services))
    if not cookie or len(cookie) > MAX_VALUE:
        return visits.pages.message(400, "Start from your system", NOT_OURS, WHERE_TO_START)
    callback = Callback(given.get("code"), given.get("state"), given.get("error"), given.get("iss"))
    try:
        arrival = await services.authorise.callback(callback, cookie)
    except ChannelSyncError as error:
        return visits.failed(error)
    return _arrival_page(visits, arrival)


def _arrival_page(visits: Visits, arrival: Arrival) -> Response:
    if arrival.return_url is not None and arrival.integration_id is not None:
        return RedirectResponse(_with_result(arrival.return_url, arrival), status.HTTP_303_SEE_OTHER)
    if arrival.error is not None:
        return visits.ended(arrival.error)
    shop = arrival.shop_name or "The account"
    text = f"{shop} is connected to {arrival.integration_name}."
    return visits.pages.message(200, "Connected", text, "You can close this page and go back to your system.")


def _with_result(return_url: str, arrival: Arrival) -> str:
    parts = urlsplit(return_url)
    ours = {"integration_id": arrival.integration_id or "", "result": arrival.result}
    if arrival.error is not None:
        ours["error"] = arrival.error
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in ours]
    return urlunsplit(parts._replace(query=urlencode([*kept, *ours.items()])))


def cookie_name(services: Services) -> str:
    """The prefix makes browsers insist on https and on this very host; plain http on localhost cannot have it."""
    return "__Host-wish_attempt" if services.settings.address.is_https else "wish_attempt"
