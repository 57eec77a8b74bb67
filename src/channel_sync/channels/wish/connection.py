"""The client as one run of one integration uses it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from channel_sync.channels.wish.client import Request, WishClient
from channel_sync.channels.wish.files import json_lines
from channel_sync.channels.wish.replies import Family, Reply
from channel_sync.domain.calls import CallContext
from channel_sync.domain.channel import ShopAccess
from channel_sync.domain.errors import ChannelRefused, NotAtChannel

Query = tuple[tuple[str, str], ...]
_NO_SUCH_ID = ("90001", "http_404")


@dataclass(frozen=True, slots=True)
class WishConnection:
    """Calls with one access token, noted on one call context."""

    client: WishClient
    access: ShopAccess
    context: CallContext

    async def get(self, family: Family, path: str, query: Query = ()) -> Reply:
        """The reply to a read."""
        return await self._call(Request(family, "GET", path, query))

    async def find(self, family: Family, path: str) -> Reply:
        """The reply to a read of one thing by its id; `NotAtChannel` where the merchant has none of that id."""
        try:
            return await self.get(family, path)
        except ChannelRefused as refused:
            if refused.code in _NO_SUCH_ID:
                raise NotAtChannel(refused.code, refused.message, refused.request_id) from refused
            raise

    async def put(self, family: Family, path: str, body: object) -> Reply:
        """The reply to a write. One whose answer is lost may be carried out after all that is sent behind it.

        So it is not sent again on the spot: whoever wrote has to look what is there.
        """
        return await self._call(Request(family, "PUT", path, body=msgspec.json.encode(body), is_repeatable=False))

    async def post(self, family: Family, path: str, body: object) -> Reply:
        """The reply to a job that writes, which is not queued again either when its answer is lost."""
        return await self._call(Request(family, "POST", path, body=msgspec.json.encode(body), is_repeatable=False))

    async def queue(self, family: Family, path: str, query: Query = ()) -> Reply:
        """The reply to a job without a body, which is not queued again when its answer is lost."""
        return await self._call(Request(family, "POST", path, query, is_repeatable=False))

    def lines(self, url: str) -> AsyncGenerator[bytes, None]:
        """The JSON values of a file that a job produced."""
        return json_lines(self.client, url, self.access, self.context)

    async def _call(self, request: Request) -> Reply:
        return await self.client.call(request, self.access, self.context)


def segment(id: str) -> str:
    """An id as part of a path; an id that would lead to another path is refused as Wish would refuse it."""
    if id in ("", ".", ".."):
        raise ChannelRefused("90001", "There is no such id.")
    return quote(id, safe="")
