"""Bodies: read strictly, only as JSON, and never so much of them at once that others wait."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from channel_sync.api.http.json_pieces import PIECE, parse_in_pieces
from channel_sync.api.http.limits import body_cap
from channel_sync.api.http.problems import HttpProblem
from channel_sync.api.http.queries import check_query, parameters_of
from channel_sync.api.http.strict_json import parse
from channel_sync.domain.errors import NotFound

# A body may be made of 8,192 values; one of stock of 65,536, of which 5,000 levels take 20,000.
_BYTES_A_VALUE = 128


class StrictRequest(Request):
    """A request whose `json()` refuses what Python's parser would let pass."""

    async def json(self) -> Any:
        """The body as JSON, or an `HttpProblem` that says what is wrong with it."""
        if not hasattr(self, "_json"):
            body, max_nodes = await self.body(), body_cap(self.scope) // _BYTES_A_VALUE
            whole = len(body) <= PIECE
            self._json = parse(body, max_nodes) if whole else await parse_in_pieces(body, max_nodes)
        return self._json


class StrictRoute(APIRoute):
    """A route that reads its body strictly and only as JSON, and passes over nothing in its query."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, given a `StrictRequest`."""
        handle = super().get_route_handler()
        takes_body = self.body_field is not None
        parameters = parameters_of(self.dependant)

        async def handle_strictly(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            if "\0" in strict.scope["path"]:
                # NUL is in no id.
                raise NotFound
            check_query(strict.query_params, parameters)
            if takes_body and not _says_json(strict) and await strict.body():
                raise HttpProblem(415, "unsupported_media_type", "Send the body as application/json.")
            return await handle(strict)

        return handle_strictly


def _says_json(request: Request) -> bool:
    essence = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return essence == "application/json" or (essence.startswith("application/") and essence.endswith("+json"))
