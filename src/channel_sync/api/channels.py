"""What can be added: the marketplaces, and how a seller sets them up."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from typing_extensions import TypedDict

from channel_sync.api.http.access import requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import Input
from channel_sync.api.http.services import CurrentServices, Services
from channel_sync.domain.channel import ChannelDescription, Environment
from channel_sync.domain.errors import NotFound

router = APIRouter(tags=["channels"], route_class=StrictRoute)

LOGO_LIFETIME_S = 86_400


class OwnAppView(TypedDict):
    """What it takes to connect with an app that the seller made."""

    credential_fields: list[str]
    setup_steps: list[str]


class ChannelView(TypedDict):
    """One marketplace. `redirect_url` is what the seller pastes there; `setup_steps` are in order.

    Where the platform has an app of its own, `credential_fields` is empty. Sellers may use theirs there, too:
    `own_app` has what that takes.
    """

    type: str
    name: str
    logo_url: str
    redirect_url: str
    credential_fields: list[str]
    currencies: list[str]
    setup_steps: list[str]
    own_app: OwnAppView


class ChannelPage(TypedDict):
    """Every marketplace."""

    items: list[ChannelView]
    next_cursor: str | None


class ChannelFilters(Input):
    """Of which world the answer is."""

    environment: Environment = Environment.PRODUCTION
    """Whether the platform has an app of its own is another matter in each."""


@router.get("/channels", summary="List what can be added", dependencies=[requires("integrations:read")])
async def list_channels(asked: Annotated[ChannelFilters, Query()], services: CurrentServices) -> ChannelPage:
    """Every marketplace with its credential fields, currencies and the seller's set-up steps."""
    channels = services.channels.values()
    views = [_view(services, channel.description, asked.environment) for channel in channels]
    return {"items": views, "next_cursor": None}


@router.get(
    "/channels/{channel_type}/logo.svg",
    summary="Show a channel's logo",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}},
)
async def get_channel_logo(channel_type: str, services: CurrentServices) -> Response:
    """The logo, cacheable and open to everybody."""
    channel = services.channels.get(channel_type)
    if channel is None:
        raise NotFound("channel")
    headers = {
        "Cache-Control": f"public, max-age={LOGO_LIFETIME_S}",
        # Shown as a document, an SVG could run scripts; as an image it never does.
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return Response(channel.description.logo_svg, headers=headers, media_type="image/svg+xml")


def _view(services: Services, channel: ChannelDescription, environment: Environment) -> ChannelView:
    address = services.settings.address
    own: OwnAppView = {
        "credential_fields": list(channel.credential_fields),
        "setup_steps": list(channel.setup_steps),
    }
    has_app = services.database.platform_apps.find(channel.type, environment) is not None
    return {
        "type": channel.type,
        "name": channel.name,
        "logo_url": address.url(f"/channels/{channel.type}/logo.svg"),
        "redirect_url": address.callback(channel.type),
        "credential_fields": [] if has_app else own["credential_fields"],
        "currencies": list(channel.currencies),
        "setup_steps": list(channel.consent_steps) if has_app else own["setup_steps"],
        "own_app": own,
    }
