"""The documentation page and the document behind it; every byte comes from this process."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, JSONResponse, Response

from channel_sync.api.contract.document import openapi_document
from channel_sync.domain.errors import NotFound

router = APIRouter(include_in_schema=False)

ASSET_LIFETIME_S = 86_400
CONTENT_POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"
_SWAGGER = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")


@router.get("/openapi.json")
async def get_document(request: Request) -> JSONResponse:
    """The contract of the running service."""
    document: dict[str, Any] = openapi_document(request.app)
    return JSONResponse(document)


@router.get("/docs")
async def show_docs() -> Response:
    """Swagger UI on the running service."""
    page = Path(__file__).parent / "templates" / "docs.html"
    return FileResponse(page, headers={"Content-Security-Policy": CONTENT_POLICY, "Cache-Control": "no-store"})


@router.get("/docs/{name}")
async def get_asset(name: str) -> Response:
    """One of the page's own files; no other file can be named."""
    return FileResponse(_path(name), headers={"Cache-Control": f"public, max-age={ASSET_LIFETIME_S}"})


def _path(name: str) -> Path:
    if name == "start.js":
        return Path(__file__).parent / "static" / name
    if name in _SWAGGER:
        return Path(str(files("fastapi_swagger.resources"))) / name
    raise NotFound
