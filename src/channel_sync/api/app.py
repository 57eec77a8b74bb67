"""The API put together: routes, and the layers around them."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute
from starlette.types import Scope

from channel_sync.api import (
    carriers,
    channels,
    claims,
    connections,
    diagnostics,
    disclosures,
    dispatch,
    erasure,
    explanations,
    exports,
    health,
    integrations,
    keys,
    listings,
    mappings,
    orders,
    refunds,
    rejections,
    run_changes,
    runs,
    ship_by,
    stock,
    stock_brake,
    stock_explain,
    stock_rules,
    timelines,
    warehouses,
)
from channel_sync.api.contract.document import openapi_document, operation_id
from channel_sync.api.contract.words import API_VERSION, LICENCE, TAGS
from channel_sync.api.events import feed, stream
from channel_sync.api.events.waits import EventWaits
from channel_sync.api.http.access import Authentication, Authenticator
from channel_sync.api.http.forwarded import TrustedProxies
from channel_sync.api.http.head import HeadAsGet, with_head
from channel_sync.api.http.limits import BodyCap, RateLimit
from channel_sync.api.http.not_modified import NotModified
from channel_sync.api.http.places import Places
from channel_sync.api.http.problems import answer, answer_request
from channel_sync.api.http.request_log import RequestLog
from channel_sync.api.http.services import DocsMode, Services, Vitals
from channel_sync.api.pages import docs, front, oauth
from channel_sync.api.pages.front import wants_page
from channel_sync.api.pages.visits import Visits
from channel_sync.domain.errors import ChannelSyncError

DESCRIPTION = """Connects seller accounts at marketplaces: orders come in as a feed, stock goes out to listings.

* Errors are `application/problem+json`; `code` is stable, and new ones may come.
* A member or query parameter that an operation does not know is a 422; `errors` says where it stands.
* HEAD is answered wherever GET is.
* Anything may be answered 400 where it is no HTTP, 408 where it comes too slowly, 414 or 431 where its head has
  more than 64 KiB or 128 headers; the connection ends then.
* Lists give `items` and `next_cursor`; pass it on as `cursor`.
* Repeat a POST safely with an `Idempotency-Key`."""

_OPEN = r"/health/(live|ready)|/channels/[^/]+/logo\.svg|/brand/logo"
_DOCS = re.compile(r"/openapi\.json|/docs(/[^/]+)?")
_BEFORE_PAGES = (
    channels.router,
    carriers.router,
    integrations.idempotent,
    integrations.router,
    claims.router,
    connections.idempotent,
    connections.router,
    diagnostics.router,
)
_AFTER_PAGES = (
    runs.idempotent,
    runs.router,
    run_changes.router,
    erasure.idempotent,
    erasure.router,
    dispatch.idempotent,
    refunds.idempotent,
    refunds.router,
    exports.router,
    ship_by.router,
    disclosures.router,
    orders.idempotent,
    orders.router,
    timelines.router,
    explanations.router,
    stock.idempotent,
    stock.router,
    stock_rules.router,
    stock_explain.router,
    rejections.router,
    stock_brake.idempotent,
    stock_brake.router,
    warehouses.router,
    listings.router,
    mappings.router,
    stream.router,
    feed.router,
    keys.idempotent,
    keys.router,
    health.router,
)
_EXPOSED = [
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "WWW-Authenticate",
    "X-Request-Id",
]
_ACCEPTED = ["Authorization", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID", "X-Request-Id"]


def create_api(services: Services) -> FastAPI:
    """The API on these services. It holds nothing else and starts nothing."""
    address = services.settings.address
    offered = tuple(services.channels)
    app = _app(_layers(services), _of_contract(offered), server=address.prefix or "/")
    app.state.services = services
    app.state.routes = _known_routes(offered)
    app.state.address = address
    app.state.visits = Visits(services)
    app.include_router(front.router)
    app.state.exports = Places(
        services.settings.exports, "too_many_exports", "As many exports are under way as may be at once."
    )
    app.state.event_waits = EventWaits(services.database, services.health, services.settings.waits)
    if services.settings.docs is not DocsMode.OFF:
        app.include_router(docs.router)
    return app


def create_health_api(vitals: Vitals) -> FastAPI:
    """The health checks alone, for a process that answers nothing else. They ask for no key."""
    app = _app([Middleware(HeadAsGet), Middleware(RequestLog, https=False)], health.router.routes)
    app.state.services = vitals
    app.state.routes = health.router.routes
    return app


def openapi(offered: Sequence[str]) -> dict[str, Any]:
    """The contract with these marketplaces, which is the same for every deployment."""
    return openapi_document(_app([], _of_contract(tuple(offered))))


def _app(layers: list[Middleware], routes: Sequence[BaseRoute], server: str = "/") -> FastAPI:
    return FastAPI(
        routes=list(routes),
        title="channel-sync",
        summary="Orders in, stock out: seller accounts at marketplaces as one API.",
        description=DESCRIPTION,
        version=API_VERSION,
        servers=[{"url": server}],
        license_info=LICENCE,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        middleware=layers,
        exception_handlers={
            HTTPException: _answer_http,
            RequestValidationError: answer_request,
            ChannelSyncError: answer_request,
        },
    )


@cache
def _routers(offered: tuple[str, ...]) -> tuple[APIRouter, ...]:
    """Everything of the contract, with the pages of each marketplace.

    They are routes of its own, for `/{channel}/callback` would be `/stock/callback`, too. The operations of the
    first one keep their names when others come.
    """
    pages = [oauth.router_of(type_, f"_at_{type_}" if number else "") for number, type_ in enumerate(offered)]
    return (*_BEFORE_PAGES, *pages, *_AFTER_PAGES)


@cache
def _of_contract(offered: tuple[str, ...]) -> list[BaseRoute]:
    """Every route of the contract. FastAPI takes 0.4 s to work them out, which it would for each application."""
    app = FastAPI(openapi_url=None, generate_unique_id_function=operation_id)
    for router in _routers(offered):
        app.include_router(router)
    return app.routes


def _known_routes(offered: tuple[str, ...]) -> list[BaseRoute]:
    return [route for router in (*_routers(offered), docs.router) for route in router.routes]


def _layers(services: Services) -> list[Middleware]:
    """From the outside in. The cap stands before access: nobody makes us read more than that."""
    settings = services.settings
    return [
        Middleware(HeadAsGet),
        Middleware(TrustedProxies, trusted=settings.trusted_proxies),
        Middleware(RequestLog, https=settings.address.is_https),
        Middleware(
            CORSMiddleware,
            allow_origins=settings.return_origins,
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=_ACCEPTED,
            expose_headers=_EXPOSED,
        ),
        Middleware(BodyCap),
        Middleware(
            Authentication,
            credentials=Authenticator(services.database, services.issuer),
            is_open=_open_requests(settings.docs, tuple(services.channels)),
        ),
        Middleware(RateLimit, per_s=settings.rate_limit_per_s, tenant_per_s=settings.tenant_rate_limit_per_s),
        Middleware(NotModified),
    ]


def _open_requests(docs_mode: DocsMode, offered: tuple[str, ...]) -> Callable[[Scope], bool]:
    pages = [f"/{re.escape(type_)}/(authorise|callback)" for type_ in offered]
    open_paths, known = re.compile("|".join((_OPEN, *pages))), _known_routes(offered)

    def is_open(scope: Scope) -> bool:
        path = scope["path"]
        if open_paths.fullmatch(path) or (docs_mode is DocsMode.ON and _DOCS.fullmatch(path)):
            return True
        # A person at the front door, or at an address that leads nowhere, gets a page and not a riddle.
        return wants_page(scope) and (path == "/" or not _fitting(known, path))

    return is_open


async def _answer_http(request: Request, error: Exception) -> Response:
    """Starlette's own errors; a 405 names every method of the path, not only those of the first route."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        error.headers = {"Allow": ", ".join(_methods(request))}
    visits: Visits | None = getattr(request.app.state, "visits", None)
    if visits and isinstance(error, HTTPException) and error.status_code == 404 and wants_page(request.scope):
        return visits.pages.not_found()
    return answer(request.scope, error)


def _methods(request: Request) -> list[str]:
    """What the path allows. A path without parameters stands for itself, not for an id of that name."""
    path = request.url.path
    fitting = _fitting(request.app.state.routes, path)
    exact = [route for route in fitting if route.path == path]
    return sorted(with_head({method for route in exact or fitting for method in route.methods or ()}))


def _fitting(routes: Sequence[BaseRoute], path: str) -> list[APIRoute]:
    return [route for route in routes if isinstance(route, APIRoute) and route.path_regex.match(path)]
