"""What can be added: the marketplaces, and how a seller sets them up."""

from fastapi import APIRouter, Response
from typing_extensions import TypedDict

from channel_sync.api.http.access import requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.services import CurrentServices, Services
from channel_sync.domain.channel import ChannelDescription
from channel_sync.domain.errors import NotFound

router = APIRouter(tags=["channels"], route_class=StrictRoute)

LOGO_LIFETIME_S = 86_400


class ChannelView(TypedDict):
    """One marketplace. `redirect_url` is what the seller pastes there; `setup_steps` are in order."""

    type: str
    name: str
    logo_url: str
    redirect_url: str
    credential_fields: list[str]
    currencies: list[str]
    setup_steps: list[str]


class ChannelPage(TypedDict):
    """Every marketplace."""

    items: list[ChannelView]
    next_cursor: str | None


@router.get("/channels", summary="List what can be added", dependencies=[requires("integrations:read")])
async def list_channels(services: CurrentServices) -> ChannelPage:
    """Every marketplace with its credential fields, currencies and the seller's set-up steps."""
    views = [_view(services, channel.description) for channel in services.channels.values()]
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


def _view(services: Services, channel: ChannelDescription) -> ChannelView:
    address = services.settings.address
    return {
        "type": channel.type,
        "name": channel.name,
        "logo_url": address.url(f"/channels/{channel.type}/logo.svg"),
        "redirect_url": address.callback(channel.type),
        "credential_fields": list(channel.credential_fields),
        "currencies": list(channel.currencies),
        "setup_steps": list(channel.setup_steps),
    }
