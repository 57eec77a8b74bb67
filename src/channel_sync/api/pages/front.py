"""What a browser sees that was not sent here by a link: the first page, and one for a mistyped address."""

from fastapi import APIRouter, Request, Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Scope

from channel_sync.api.http.services import CurrentServices, DocsMode
from channel_sync.api.pages.visits import CurrentVisits

router = APIRouter(include_in_schema=False)

_LOGO_LIFETIME_S = 3600


def wants_page(scope: Scope) -> bool:
    """Whether a person looks: a browser asks for HTML by name, and has no credential to send."""
    headers = Headers(scope=scope)
    is_look = scope["method"] == "GET" and "text/html" in headers.get("accept", "")
    return is_look and "authorization" not in headers


@router.get("/")
async def show_front_page(request: Request, services: CurrentServices, visits: CurrentVisits) -> Response:
    """What this is, and where the documentation is if everybody may read it."""
    if not wants_page(request.scope):
        raise HTTPException(404)
    return visits.pages.front(with_docs=services.settings.docs is DocsMode.ON)


@router.get("/brand/logo")
async def get_brand_logo(services: CurrentServices) -> Response:
    """The platform's logo, or ours."""
    logo = services.settings.brand.logo
    headers = {
        "Cache-Control": f"public, max-age={_LOGO_LIFETIME_S}",
        # Shown as a document, an SVG could run scripts; as an image it never does.
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    }
    return Response(logo.content, headers=headers, media_type=logo.media_type)
