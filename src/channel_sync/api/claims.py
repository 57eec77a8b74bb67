"""Shops that sellers added in a marketplace's own store: looked at, and claimed."""

from fastapi import APIRouter
from pydantic import SecretStr

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import timestamp
from channel_sync.api.http.services import CurrentServices
from channel_sync.api.integration_inputs import ClaimInput, IntegrationInput
from channel_sync.api.integration_schemas import ClaimView
from channel_sync.api.integration_view import channel_ref
from channel_sync.domain.errors import Invalid
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.claims import ClaimedIntegration

router = APIRouter(tags=["integrations"], route_class=StrictRoute)

# The shop was connected by the platform's app, at the marketplace, and no browser is sent anywhere.
_OF_OTHERS = ("client_id", "client_secret", "more_credentials", "return_url")


@router.post(
    "/claims/preview",
    summary="Show the shop that a claim is of",
    dependencies=[requires("integrations:write")],
    responses={409: {"description": "The claim was used; `related_id` is the integration."}},
)
async def preview_claim(given: ClaimInput, caller: CurrentCaller, services: CurrentServices) -> ClaimView:
    """The shop, so that a person can say whether it is theirs before it is connected. Looking uses nothing up."""
    shop = await services.claims.preview(caller.tenant, Secret(given.claim.get_secret_value()))
    return {
        "channel": channel_ref(services, shop.channel),
        "environment": shop.environment,
        "merchant_id": shop.merchant_id,
        "shop_name": shop.shop_name,
        "expires_at": timestamp(shop.expires_at),
        "error": None if shop.refusal is None else shop.refusal.code,
        "integration_id": None if shop.refusal is None else shop.refusal.related_id,
    }


def claimed_integration(given: IntegrationInput, claim: SecretStr) -> ClaimedIntegration:
    """What is wanted of a shop that is claimed; `Invalid` for what goes with other ways to connect."""
    for name in _OF_OTHERS:
        if getattr(given, name) is not None:
            raise Invalid("not_for_this_kind", "A claim does not take this.", f"/{name}")
    return ClaimedIntegration(
        channel=given.channel,
        name=given.name,
        claim=Secret(claim.get_secret_value()),
        environment=given.environment if "environment" in given.model_fields_set else None,
        orders_from=given.orders_from,
        default_currency=given.default_currency,
    )
