"""The host the files of jobs lie on. It wants no bearer token, and refuses one, as storage hosts do."""

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from wish_simulator.jobs import StoredFile
from wish_simulator.marketplace import Marketplace

LINES_PER_PIECE = 200
REFUSED = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code></Error>'


class FileHost:
    def __init__(self, market: Marketplace) -> None:
        self._market = market

    def routes(self) -> list[Route]:
        return [Route("/files/{name}", self.fetch, methods=["GET"])]

    async def fetch(self, request: Request) -> Response:
        counters = self._market.journal.counters
        counters.files_fetched += 1
        if "authorization" in request.headers:
            counters.bearer_sent_to_files += 1
            return _refusal("InvalidArgument", 400)
        stored = self._market.files.find(request.path_params["name"], self._market.clock.now_ms())
        if stored is None:
            return _refusal("AccessDenied", 403)
        return StreamingResponse(_pieces(stored), media_type="application/octet-stream")


def _refusal(code: str, status: int) -> Response:
    return Response(REFUSED.format(code), status, media_type="application/xml")


async def _pieces(stored: StoredFile) -> AsyncIterator[bytes]:
    for start in range(0, len(stored.lines), LINES_PER_PIECE):
        yield b"".join(line + b"\n" for line in stored.lines[start : start + LINES_PER_PIECE])
