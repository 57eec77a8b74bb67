"""A browser's visit to our pages: what it may send, how often, and from which page a form may come."""

import re
from contextlib import suppress
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from fastapi.responses import Response

from channel_sync.api.http.buckets import Buckets
from channel_sync.api.http.forwarded import client_of
from channel_sync.api.http.services import Services
from channel_sync.api.pages.cookies import AttemptCookies
from channel_sync.api.pages.pages import Pages
from channel_sync.api.pages.words import IN_THE_STORE, NOT_OURS, UNREADABLE, WHERE_TO_START
from channel_sync.domain.errors import StorageUnavailable
from channel_sync.flows.connecting.return_urls import origin_of

# Per attempt, or per client address where a visit has nothing of ours with it. A person needs two.
VISITS_PER_S = 1.0
VISITS_AT_ONCE = 60
# What nobody here asked for, from everywhere together: each is a call to the marketplace.
ADDED_PER_S = 1.0
ADDED_AT_ONCE = 30
MAX_VALUE = 2048
MAX_TEXT = 8192
_KNOWN = ("code", "state", "error", "iss", "ticket", "answer", "attempt", "callback", "browser")
_PLAIN = re.compile(r"[\x20-\x7e]*")


class Visits:
    """What the pages need besides the services: their templates, and who came how often."""

    def __init__(self, services: Services) -> None:
        self.pages = Pages(services.settings)
        self._services = services
        self._budget = Buckets(VISITS_PER_S, VISITS_AT_ONCE)
        self._added = Buckets(ADDED_PER_S, ADDED_AT_ONCE)

    def cookies_of(self, channel: str) -> AttemptCookies:
        """The cookies of a marketplace's attempts."""
        return AttemptCookies(self._services.settings, channel)

    async def read(self, request: Request, channel: str) -> dict[str, str] | Response:
        """The members of the query, or the page that turns this visit away."""
        return await self._admit(request, channel, request.url.query)

    async def read_form(self, request: Request, channel: str) -> dict[str, str] | Response:
        """The members of the query and the form, which must be on a page of ours; or the page that refuses."""
        form = (await request.body()).decode("ascii", "replace")
        given = await self._admit(request, channel, request.url.query, form)
        # A form on somebody else's page would skip the page that says what is about to be connected.
        if isinstance(given, dict) and not self._is_from_our_page(request):
            return self.pages.message(400, "Open the link itself", NOT_OURS, WHERE_TO_START)
        return given

    def admit_added(self) -> Response | None:
        """The page that turns away what comes from a marketplace's own store, where too much does."""
        allowance = self._added.take("everybody")
        return None if allowance.allowed else self.crowded_store(allowance.wait_s)

    def crowded_store(self, wait_s: float = 60) -> Response:
        """The page that asks to wait; the code is good for five minutes."""
        return self.pages.crowded("Too many shops at once", wait_s, IN_THE_STORE)

    async def _admit(self, request: Request, channel: str, *texts: str) -> dict[str, str] | Response:
        given = [_members(text) for text in texts]
        members = {name: value for some in reversed(given) for name, value in (some or {}).items()}
        allowance = self._budget.take(await self._counted_as(request, channel, members.get("ticket", "")))
        if not allowance.allowed:
            return self.pages.crowded("Too many visits", allowance.wait_s, WHERE_TO_START)
        if None in given:
            return self.pages.message(400, "This address is damaged", UNREADABLE, WHERE_TO_START)
        return members

    async def _counted_as(self, request: Request, channel: str, ticket: str) -> str:
        """Whoever has a link or a cookie of ours has a budget of their own; strangers share their address's."""
        cookies = self.cookies_of(channel).brought(request).values()
        if ticket or cookies:
            with suppress(StorageUnavailable):
                attempt_id = await self._services.consent_redirects.recognised(ticket, list(cookies))
                if attempt_id is not None:
                    return attempt_id
        return client_of(request.scope)

    def _is_from_our_page(self, request: Request) -> bool:
        """Whether the form was, as browsers say. `null` is the origin of pages that tell no referrer, as ours."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site not in (None, "same-origin", "none"):
            return False
        if origin is None or origin == "null":
            return origin is None or site == "same-origin"
        return origin_of(origin) == origin_of(self._services.settings.address.origin)


def _members(text: str) -> dict[str, str] | None:
    """The members we know, each at most once; None if the text is too large or odd. The rest is not looked at."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return None
    known = [(name, value) for name, value in pairs if name in _KNOWN]
    plain = all(len(value) <= MAX_VALUE and _PLAIN.fullmatch(value) for _, value in known)
    members = dict(known)
    return members if plain and len(members) == len(known) and len(text) <= MAX_TEXT else None


async def current_visits(request: Request) -> Visits:
    """The visits of the app that got the request."""
    visits: Visits = request.app.state.visits
    return visits


CurrentVisits = Annotated[Visits, Depends(current_visits)]
