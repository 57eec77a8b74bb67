"""The way of a seller's browser to the marketplace and back. Pages, not JSON; nothing given is ever repeated."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from fastapi import APIRouter, Request, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from channel_sync.api.http.services import CurrentServices, Services
from channel_sync.api.pages.visits import MAX_VALUE, CurrentVisits, Visits
from channel_sync.api.pages.words import NOT_OURS, PAGES, READ_AHEAD, UNREADABLE, WHERE_TO_START
from channel_sync.domain.codes import CALLBACK_ERRORS, CallbackError
from channel_sync.domain.errors import ChannelSyncError
from channel_sync.flows.connecting.consent import ConsentRedirect
from channel_sync.flows.connecting.outcomes import (
    Added,
    AlreadyConnected,
    Asking,
    Callback,
    CallbackResult,
    Choice,
    Crowded,
    NotAdded,
    Outcome,
    Question,
    Setback,
)
from channel_sync.flows.connecting.pkce import TICKET_LIFETIME, new_token

_ERRORS: dict[str, CallbackError] = {error: error for error in CALLBACK_ERRORS}


def channel_of(request: Request) -> str:
    """The marketplace whose page this is. What comes back to another's is no answer to what was asked here."""
    return str(request.scope["path"].split("/")[1])


def _query(**words: str) -> dict[str, Any]:
    """What the contract says of parameters that are read by hand."""
    text = {"type": "string", "maxLength": MAX_VALUE}
    return {"parameters": [{"name": n, "in": "query", "description": w, "schema": text} for n, w in words.items()]}


def _form(**words: str) -> dict[str, Any]:
    members = {n: {"type": "string", "maxLength": MAX_VALUE, "description": w} for n, w in words.items()}
    schema = {"type": "object", "properties": members}
    return {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": schema}}}}


_TICKET = _query(ticket="What `authorise_url` carries.")
_OF_MARKETPLACE = {
    "code": "The marketplace's one-time code.",
    "error": "Why the marketplace gave no code.",
    "iss": "Who answered, where the marketplace says so.",
}
_OF_ANSWER = _query(
    state="What we gave the browser on its way, where the marketplace gives it back.", **_OF_MARKETPLACE
)
_OF_FORM = _form(
    answer="`connect`, `choose`, `stop` or `again`.",
    attempt="Which of this browser's attempts is meant.",
    callback="Which question of ours is answered.",
    **_OF_MARKETPLACE,
)


async def show_authorise_page(request: Request, services: CurrentServices, visits: CurrentVisits) -> Response:
    """A page that names the account and the integration. Looking at it uses nothing up."""
    given = await visits.read(request, channel_of(request))
    if isinstance(given, Response):
        return given
    ticket = given.get("ticket", "")
    try:
        view = await services.consent_redirects.describe(ticket, _cookies(request, visits))
    except ChannelSyncError as error:
        return visits.pages.failed(error)
    return visits.pages.authorise(view, ticket, new_token())


async def leave_for_marketplace(request: Request, services: CurrentServices, visits: CurrentVisits) -> Response:
    """This browser gets its cookie and goes on to the marketplace's consent page; any other may not any more.

    The ticket stands in the address, or in the form as `ticket`. Until it is back, the browser may go on again.
    """
    given = await visits.read_form(request, channel_of(request))
    if isinstance(given, Response):
        return given
    ticket, offered = given.get("ticket", ""), given.get("browser", "")
    leaving = services.consent_redirects.start(ticket, _cookies(request, visits), offered)
    return await _left(request, visits, leaving)


async def finish_authorisation(request: Request, services: CurrentServices, visits: CurrentVisits) -> Response:
    """Ends in a 303 to the `return_url` with `integration_id`, `result` and `error`, or in a page.

    Bound to the browser by its cookies: without them nothing changes. However often it is loaded, it works once.

    What nobody here asked for comes from the marketplace's own store: where the operator has set `ADD_APP_URL`,
    the answer is a 303 to it with `channel` and a one-time `claim`, which `POST /integrations` completes.

    Where no `state` comes back, a page says which shop answered and asks whether to connect it. If an integration
    of the tenant has the shop by the same app, that one gets the new grant, a draft ends, and `integration_id` is
    its id.
    """
    given = await visits.read(request, channel_of(request))
    if isinstance(given, Response):
        return given
    if "prefetch" in request.headers.get("sec-purpose", request.headers.get("purpose", "")):
        return visits.pages.message(503, "Not yet", READ_AHEAD, WHERE_TO_START, "plain")
    if not given.get("code") and not given.get("error"):
        return visits.pages.message(400, "Nothing to do here", UNREADABLE, WHERE_TO_START, "plain")
    callback, cookies = _callback(given), _cookies(request, visits)
    try:
        if await _is_added(request, services, callback, cookies):
            return await _added(request, services, visits, callback)
    except ChannelSyncError as error:
        return visits.pages.failed(error)
    if not cookies:
        return _not_ours(visits)
    return await _arrived(request, visits, services.callbacks.arrive(callback, cookies), callback)


async def answer_question(request: Request, services: CurrentServices, visits: CurrentVisits) -> Response:
    """What a person says on our page: connect this shop, stop, go to the marketplace again, or what it is for.

    The browser needs the cookie of the attempt, and the form must be on a page of ours.
    """
    given = await visits.read_form(request, channel_of(request))
    if isinstance(given, Response):
        return given
    if not (cookies := _cookies(request, visits)):
        return _not_ours(visits)
    ref, callback, callbacks = given.get("attempt", ""), _callback(given), services.callbacks
    match given.get("answer"):
        case "connect":
            return await _arrived(request, visits, callbacks.confirm(given.get("callback", ""), ref, cookies))
        case "choose" if callback.code:
            return await _arrived(request, visits, callbacks.choose(ref, callback, cookies), callback)
        case "accept":
            return await _arrived(request, visits, callbacks.accept(given.get("callback", ""), ref, cookies))
        case "stop":
            error = _ERRORS.get(given.get("error", ""), "access_denied")
            return await _arrived(request, visits, callbacks.stop(ref, error, cookies))
        case "again":
            return await _left(request, visits, services.consent_redirects.again(ref, cookies))
        case _:
            return visits.pages.message(400, "Nothing to do here", UNREADABLE, WHERE_TO_START, "plain")


class _Operation(NamedTuple):
    path: str
    method: str
    answer: Callable[..., Awaitable[Response]]
    summary: str
    parameters: dict[str, Any]
    leads_away: bool = False


_OPERATIONS = (
    _Operation("/authorise", "GET", show_authorise_page, "Show what is about to be connected", _TICKET),
    _Operation("/authorise", "POST", leave_for_marketplace, "Go on to the marketplace", _TICKET, leads_away=True),
    _Operation("/callback", "GET", finish_authorisation, "Come back from the marketplace", _OF_ANSWER),
    _Operation("/callback", "POST", answer_question, "Answer what the page of the callback asks", _OF_FORM),
)


def router_of(channel: str, suffix: str = "") -> APIRouter:
    """The pages of one marketplace. A `suffix` tells its operations from those of the others."""
    router = APIRouter(prefix=f"/{channel}", tags=["connecting"], default_response_class=HTMLResponse)
    for one in _OPERATIONS:
        router.add_api_route(
            one.path,
            one.answer,
            methods=[one.method],
            name=f"{one.answer.__name__}{suffix}",
            status_code=status.HTTP_303_SEE_OTHER if one.leads_away else None,
            response_class=RedirectResponse if one.leads_away else HTMLResponse,
            summary=one.summary,
            responses=PAGES,
            openapi_extra=one.parameters,
        )
    return router


async def _is_added(request: Request, services: Services, callback: Callback, cookies: list[str]) -> bool:
    if not services.added_apps.may_be(channel_of(request), callback):
        return False
    return not await services.callbacks.awaits(callback, cookies)


async def _added(request: Request, services: Services, visits: Visits, callback: Callback) -> Response:
    if (turned_away := visits.admit_added()) is not None:
        return turned_away
    match await services.added_apps.arrive(channel_of(request), callback):
        case Added(url):
            return RedirectResponse(url, status.HTTP_303_SEE_OTHER)
        case NotAdded(error):
            return visits.pages.not_added(error)
        case Crowded():
            return visits.crowded_store()


async def _left(request: Request, visits: Visits, leaving: Awaitable[ConsentRedirect]) -> Response:
    """The way to the marketplace, with the cookie to come back with."""
    try:
        redirect = await leaving
    except ChannelSyncError as error:
        return visits.pages.failed(error)
    response = RedirectResponse(redirect.consent_url, status.HTTP_303_SEE_OTHER)
    cookies = visits.cookies_of(redirect.channel)
    cookies.drop_all_but(request, response, (redirect.ref, *redirect.others))
    cookies.give(response, redirect.ref, redirect.cookie, redirect.max_age_s)
    return response


async def _arrived(
    request: Request, visits: Visits, arriving: Awaitable[Outcome], callback: Callback | None = None
) -> Response:
    """The end, or the page that asks on; the browser keeps its cookies for as long as an answer is waited for."""
    try:
        outcome = await arriving
    except ChannelSyncError as error:
        return visits.pages.failed(error)
    if isinstance(outcome, CallbackResult):
        return _end(visits, outcome)
    page = _question(visits, outcome, callback)
    refs = [candidate.ref for candidate in outcome.candidates]
    visits.cookies_of(channel_of(request)).prolong(request, page, refs, int(TICKET_LIFETIME.total_seconds()))
    return page


def _question(visits: Visits, outcome: Asking, callback: Callback | None) -> Response:
    match outcome:
        case Question():
            return visits.pages.question(outcome)
        case Choice():
            return visits.pages.choice(outcome, callback or Callback())
        case Setback():
            return visits.pages.setback(outcome)
        case AlreadyConnected():
            return visits.pages.already_connected(outcome)


def _end(visits: Visits, callback_result: CallbackResult) -> Response:
    if callback_result.return_url is not None and callback_result.integration_id is not None:
        return RedirectResponse(
            _with_result(callback_result.return_url, callback_result), status.HTTP_303_SEE_OTHER
        )
    if callback_result.error is not None:
        return visits.pages.ended(callback_result.error)
    return visits.pages.connected(callback_result)


def _with_result(return_url: str, callback_result: CallbackResult) -> str:
    parts = urlsplit(return_url)
    ours = {"integration_id": callback_result.integration_id or "", "result": callback_result.result}
    if callback_result.error is not None:
        ours["error"] = callback_result.error
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in ours]
    return urlunsplit(parts._replace(query=urlencode([*kept, *ours.items()])))


def _cookies(request: Request, visits: Visits) -> list[str]:
    return [*visits.cookies_of(channel_of(request)).brought(request).values()]


def _callback(given: dict[str, str]) -> Callback:
    return Callback(given.get("code"), given.get("state"), given.get("error"), given.get("iss"))


def _not_ours(visits: Visits) -> Response:
    return visits.pages.message(400, "Start from your system", NOT_OURS, WHERE_TO_START)
