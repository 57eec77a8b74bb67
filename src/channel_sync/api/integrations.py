"""Operations on integrations: the wizard, the list, settings, the switch and removal."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Response, status
from pydantic import Field

from channel_sync.api.claims import claimed_integration
from channel_sync.api.connections import NOT_UNDERSTOOD
from channel_sync.api.contract.words import RETURNING
from channel_sync.api.http.access import CurrentCaller, require_scope, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.concurrency import CONDITIONAL, TAGGED, IfMatch, expected_version, tag
from channel_sync.api.http.fields import secret, timestamp
from channel_sync.api.http.idempotency import IDEMPOTENT, IdempotentRoute
from channel_sync.api.http.paging import Cursors, PageQuery
from channel_sync.api.http.services import CurrentServices, Services
from channel_sync.api.integration_inputs import IntegrationInput, IntegrationPatch, StatusInput
from channel_sync.api.integration_schemas import (
    DraftView,
    IntegrationPage,
    IntegrationStatusView,
    IntegrationView,
    RemovalPreviewView,
)
from channel_sync.api.integration_view import integration_view, load_view, progress_of, status_view
from channel_sync.domain.clock import utcnow
from channel_sync.domain.integrations import Integration, Status
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.authorise import NewIntegration
from channel_sync.flows.integrations.lifecycle import IntegrationChange
from channel_sync.flows.integrations.settings import SettingsPatch
from channel_sync.persistence.integrations import IntegrationQuery, Sort

router = APIRouter(tags=["integrations"], route_class=StrictRoute)
idempotent = APIRouter(tags=["integrations"], route_class=IdempotentRoute)


@dataclass(frozen=True, slots=True)
class Target:
    """The integration that is to be changed, and the version to insist on, if any."""

    id: str
    version: int | None


async def chosen_target(
    integration_id: str, caller: CurrentCaller, services: CurrentServices, if_match: IfMatch = None
) -> Target:
    """The integration of the path; it is read only when the caller insists on a version."""
    if if_match is None:
        return Target(integration_id, None)
    async with services.database.read() as work:
        integration = await work.integrations.get(caller.tenant, integration_id)
    return Target(integration_id, expected_version(if_match, integration.version))


ChosenTarget = Annotated[Target, Depends(chosen_target)]

READ = requires("integrations:read")
WRITE = requires("integrations:write")


@idempotent.post(
    "/integrations",
    status_code=status.HTTP_201_CREATED,
    summary="Add an integration as a draft",
    dependencies=[WRITE, IDEMPOTENT],
    openapi_extra=RETURNING,
)
async def create_integration(
    given: IntegrationInput, caller: CurrentCaller, services: CurrentServices, response: Response
) -> DraftView:
    """A draft, and the page to open in the seller's browser.

    Where the platform has an app of its own, `credential_fields` of `GET /channels` is empty, and `channel` and
    `name` are enough. With a `claim` that a seller's browser brought from the marketplace's own store, it is
    connected already, and there is no page to open.

    The draft goes away at `draft_expires_at`: 60 minutes after its last step, or 7 days after the seller's consent
    while only the currency is missing. It becomes active once the seller has consented and `default_currency` is
    set, here or by PATCH.
    """
    if given.claim is not None:
        claimed = await services.claims.complete(caller.tenant, claimed_integration(given, given.claim))
        return {**await _created(services, claimed, response), "authorise_url": None, "expires_at": None}
    new = NewIntegration(
        channel=given.channel,
        name=given.name,
        client_id=given.client_id,
        client_secret=secret(given.client_secret),
        more=tuple((name, Secret(one.get_secret_value())) for name, one in (given.more_credentials or {}).items()),
        environment=given.environment,
        return_url=given.return_url,
        orders_from=given.orders_from,
        default_currency=given.default_currency,
    )
    draft, invitation = await services.authorise.begin(caller.tenant, new)
    view = await _created(services, draft, response)
    url, expires_at = invitation.authorise_url, timestamp(invitation.expires_at)
    return {**view, "authorise_url": url, "expires_at": expires_at}


class IntegrationFilters(PageQuery):
    """Which integrations, in which order."""

    channel: Annotated[str | None, Field(max_length=40)] = None
    """Only of this channel `type`."""
    status: Status | None = None
    """Only of this status; drafts and removed ones show only here."""
    q: Annotated[str | None, Field(max_length=200)] = None
    """Part of the name, in any case."""
    sort: Sort = "name"
    """The order of the list; `-` turns it round."""


@router.get("/integrations", summary="List integrations", dependencies=[READ], response_model=IntegrationPage)
async def list_integrations(
    asked: Annotated[IntegrationFilters, Query()], caller: CurrentCaller, services: CurrentServices
) -> Response:
    """The tenant's integrations, drafts and removed ones left out unless asked for by `status`."""
    cursors = Cursors("integrations", caller.tenant, asked.filters(), (str, str))
    query = IntegrationQuery(channel=asked.channel, status=asked.status, q=asked.q, sort=asked.sort)
    async with services.database.read() as work:
        page = await work.integrations.list(caller.tenant, query, cursors.request(asked))
        progress = await progress_of(work, page.items)
    now = utcnow()
    views = [integration_view(item, progress[item.id], services, now) for item in page.items]
    body: IntegrationPage = {"items": views, "next_cursor": cursors.write(page.next)}
    # Ready bytes: checking our own rows against the schema again would cost as much as reading them.
    return Response(msgspec.json.encode(body), media_type="application/json")


@router.get(
    "/integrations/{integration_id}",
    summary="Show an integration",
    dependencies=[READ],
    responses=TAGGED,
    openapi_extra=CONDITIONAL,
)
async def get_integration(
    integration_id: str, caller: CurrentCaller, services: CurrentServices, response: Response
) -> IntegrationView:
    """One integration. Its `ETag` begins with its version and goes into `If-Match` and `If-None-Match`."""
    async with services.database.read() as work:
        integration = await work.integrations.get(caller.tenant, integration_id)
        view = await load_view(work, services, integration, utcnow())
    tag(response, integration.version, view)
    return view


@router.patch(
    "/integrations/{integration_id}",
    summary="Change an integration",
    dependencies=[WRITE],
    responses={
        409: {"description": "The integration is removed, or a grant depends on its `client_id`."},
        502: NOT_UNDERSTOOD,
    },
)
async def change_integration(
    target: ChosenTarget,
    given: IntegrationPatch,
    caller: CurrentCaller,
    services: CurrentServices,
    response: Response,
) -> IntegrationView:
    """The changed integration. What is left out is kept. Null takes a setting back to its default, and is refused
    for everything else.

    Setting `default_currency` on a connected draft makes it active and enabled and starts its first order run.
    Another `settings.stock.warehouse_id` is looked up at the marketplace first. The one before keeps its units.
    `client_id` and `client_secret` need the scope `credentials:write`, too. A secret that a grant depends on is
    tried at the marketplace before anything is stored; one that works ends a rejection.
    """
    if "client_id" in given or "client_secret" in given:
        require_scope(caller, "credentials:write")
    settings: SettingsPatch | None = given.get("settings")
    if settings is not None:
        settings = await services.warehouses.settled(caller.tenant, target.id, settings)
    change = IntegrationChange(
        name=given.get("name"),
        default_currency=given.get("default_currency"),
        client_id=given.get("client_id"),
        client_secret=secret(given.get("client_secret")),
        settings=settings,
    )
    changed = await services.lifecycle.change(caller.tenant, target.id, change, target.version)
    return await _view(services, changed, response)


@router.delete(
    "/integrations/{integration_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Cancel a draft, or remove an integration",
    dependencies=[WRITE],
    responses={428: {"description": "`confirm` is not the exact name; `next_action` leads to the preview."}},
)
async def remove_integration(
    target: ChosenTarget,
    caller: CurrentCaller,
    services: CurrentServices,
    confirm: Annotated[
        str | None, Query(max_length=200, description="The exact name; not needed for a draft.")
    ] = None,
) -> None:
    """Stops it at once and destroys its credentials; it can be restored for 30 days. A draft is simply gone."""
    await services.lifecycle.remove(caller.tenant, target.id, confirm, target.version)


@router.get(
    "/integrations/{integration_id}/removal-preview",
    summary="Show what a removal would touch",
    dependencies=[READ],
)
async def preview_removal(
    integration_id: str, caller: CurrentCaller, services: CurrentServices
) -> RemovalPreviewView:
    """What is open, what is kept and what is lost when the integration is removed."""
    preview = await services.lifecycle.preview(caller.tenant, integration_id)
    return {
        "open_orders": preview.open_orders,
        "unsent_stock": preview.unsent_stock,
        "mapped_listings": preview.mapped_listings,
        "kept": list(preview.kept),
        "lost": list(preview.lost),
    }


@idempotent.post(
    "/integrations/{integration_id}/restore",
    summary="Bring a removed integration back",
    dependencies=[WRITE, IDEMPOTENT],
)
async def restore_integration(
    integration_id: str, caller: CurrentCaller, services: CurrentServices, response: Response
) -> IntegrationView:
    """The integration, in `needs_reauth`: its credentials were destroyed and have to be given again."""
    restored = await services.lifecycle.restore(caller.tenant, integration_id)
    return await _view(services, restored, response)


@router.get(
    "/integrations/{integration_id}/status",
    summary="Show whether an integration works",
    dependencies=[READ],
    responses=TAGGED,
    openapi_extra=CONDITIONAL,
)
async def get_integration_status(
    integration_id: str, caller: CurrentCaller, services: CurrentServices, response: Response
) -> IntegrationStatusView:
    """Whether it is wanted, what the marketplace says, how both jobs do, and what to do next."""
    async with services.database.read() as work:
        integration = await work.integrations.get(caller.tenant, integration_id)
        return await _status(services, integration, response)


@router.put(
    "/integrations/{integration_id}/status",
    summary="Switch an integration on or off",
    dependencies=[WRITE],
    responses={409: {"description": "A draft or a removed integration cannot be switched."}},
)
async def set_integration_status(
    target: ChosenTarget,
    given: StatusInput,
    caller: CurrentCaller,
    services: CurrentServices,
    response: Response,
) -> IntegrationStatusView:
    """Idempotent. Off: no new call to the marketplace after one second. On: a catch-up run starts at once."""
    changed = await services.lifecycle.set_enabled(caller.tenant, target.id, given.enabled, target.version)
    return await _status(services, changed, response)


async def _created(services: Services, integration: Integration, response: Response) -> IntegrationView:
    response.headers["Location"] = services.settings.address.href(f"/integrations/{integration.id}")
    return await _view(services, integration, response)


async def _view(services: Services, integration: Integration, response: Response) -> IntegrationView:
    async with services.database.read() as work:
        view = await load_view(work, services, integration, utcnow())
    tag(response, integration.version, view)
    return view


async def _status(services: Services, integration: Integration, response: Response) -> IntegrationStatusView:
    async with services.database.read() as work:
        progress = await progress_of(work, [integration])
    view = status_view(integration, progress[integration.id], services, utcnow())
    tag(response, integration.version, view)
    return view
