"""Operations that give an integration its grant: authorise again, paste credentials, ask the marketplace."""

from typing import Annotated

from fastapi import APIRouter, Body, Response

from channel_sync.api.contract.words import RETURNING
from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.concurrency import tag
from channel_sync.api.http.fields import optional_timestamp, secret, timestamp
from channel_sync.api.http.idempotency import IDEMPOTENT, IdempotentRoute
from channel_sync.api.http.services import CurrentServices
from channel_sync.api.integration_inputs import CredentialsInput, ReauthoriseInput
from channel_sync.api.integration_schemas import (
    IntegrationView,
    InvitationView,
    VerificationView,
)
from channel_sync.api.integration_view import load_view
from channel_sync.domain.clock import utcnow
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.authorise import Reauthorisation
from channel_sync.flows.connecting.paste import PastedCredentials

router = APIRouter(tags=["integrations"], route_class=StrictRoute)
idempotent = APIRouter(tags=["integrations"], route_class=IdempotentRoute)

NOT_UNDERSTOOD = {"description": "The marketplace's reply could not be understood."}

GRANT = requires("credentials:write")
VERIFY = requires("credentials:verify")


@idempotent.post(
    "/integrations/{integration_id}/reauthorise",
    summary="Ask the seller for consent again",
    dependencies=[GRANT, IDEMPOTENT],
    responses={409: {"description": "The integration is removed."}},
    openapi_extra=RETURNING,
)
async def reauthorise_integration(
    integration_id: str,
    given: Annotated[ReauthoriseInput, Body(default_factory=ReauthoriseInput)],
    caller: CurrentCaller,
    services: CurrentServices,
) -> InvitationView:
    """The page to open in the seller's browser. Until it is finished, nothing changes and the jobs go on."""
    again = Reauthorisation(
        client_id=given.client_id,
        client_secret=secret(given.client_secret),
        return_url=given.return_url,
        platform_app=given.platform_app,
    )
    invitation = await services.authorise.reauthorise(caller.tenant, integration_id, again)
    return {"authorise_url": invitation.authorise_url, "expires_at": timestamp(invitation.expires_at)}


@router.put(
    "/integrations/{integration_id}/credentials",
    summary="Paste credentials by hand",
    dependencies=[GRANT],
    responses={
        409: {"description": "They belong to another merchant, or to one that is connected already."},
        502: NOT_UNDERSTOOD,
    },
)
async def paste_credentials(
    integration_id: str,
    given: CredentialsInput,
    caller: CurrentCaller,
    services: CurrentServices,
    response: Response,
) -> IntegrationView:
    """The connected integration. The four fields are tried first; if they fail, nothing is stored."""
    pasted = PastedCredentials(
        client_id=given.client_id,
        client_secret=Secret(given.client_secret.get_secret_value()),
        access_token=Secret(given.access_token.get_secret_value()),
        refresh_token=Secret(given.refresh_token.get_secret_value()),
    )
    integration = await services.credentials.paste(caller.tenant, integration_id, pasted)
    async with services.database.read() as work:
        view = await load_view(work, services, integration, utcnow())
    tag(response, integration.version, view)
    return view


@idempotent.post(
    "/integrations/{integration_id}/verify",
    summary="Ask the marketplace whether the credentials work",
    dependencies=[VERIFY, IDEMPOTENT],
    responses={409: {"description": "There are no credentials to verify."}, 502: NOT_UNDERSTOOD},
)
async def verify_integration(
    integration_id: str, caller: CurrentCaller, services: CurrentServices
) -> VerificationView:
    """What the marketplace says now about each credential field, its endpoint and the scopes."""
    found = await services.credentials.verify(caller.tenant, integration_id)
    checks = found.checks
    return {
        "ok": found.ok,
        "checks": [{"field": c.field, "ok": c.ok, "code": c.code, "message": c.message} for c in checks],
        "merchant_id": found.merchant_id,
        "shop_name": found.shop_name,
        "expires_at": optional_timestamp(found.expires_at),
        "latency_ms": found.latency_ms,
    }
