"""The pages a person sees: on the way to the marketplace and back, at the front door, and at no door."""

import base64
from collections.abc import Mapping
from hashlib import sha256
from math import ceil
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from channel_sync.api.http.problems import status_of
from channel_sync.api.http.services import ApiSettings
from channel_sync.api.pages.words import WHERE_TO_START, explanation, explanation_of_added
from channel_sync.domain.codes import CallbackError
from channel_sync.domain.errors import ChannelSyncError
from channel_sync.flows.connecting.consent import AttemptView
from channel_sync.flows.connecting.outcomes import (
    AlreadyConnected,
    Callback,
    CallbackResult,
    Choice,
    Question,
    Setback,
)

_TEMPLATES = Path(__file__).parent / "templates"


class Pages:
    """Server-rendered pages without scripts; the one style is allowed by its hash."""

    def __init__(self, settings: ApiSettings) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined
        )
        style = f":root {{ --accent: {settings.brand.colour}; }}\n{(_TEMPLATES / 'page.css').read_text()}"
        self._templates.globals |= {
            "style": Markup(style),
            "brand": settings.brand,
            "href": settings.address.href,
            "home": _home(settings),
        }
        digest = base64.b64encode(sha256(style.encode()).digest()).decode()
        sources = f"default-src 'none'; img-src 'self'; style-src 'sha256-{digest}'"
        self._policy = f"{sources}; frame-ancestors 'none'; base-uri 'none'"

    def message(self, status: int, title: str, text: str, hint: str, tone: str = "failed") -> HTMLResponse:
        """A page that only says something; the tone is `done`, `step`, `failed` or `plain`."""
        policy = f"{self._policy}; form-action 'none'"
        words = {"title": title, "text": text, "hint": hint, "tone": tone}
        return self._page("message.html", status, words, policy)

    def failed(self, error: ChannelSyncError) -> HTMLResponse:
        """The page for an error: its code decides the words."""
        if status_of(error) != 503:
            return self.ended(error.code)
        page = self.message(503, "One moment", "Load this page again in a few seconds.", WHERE_TO_START, "step")
        page.headers["Retry-After"] = "5"
        return page

    def ended(self, code: str) -> HTMLResponse:
        """The page for a connection that did not come about."""
        words = explanation(code)
        return self.message(words.status, "Not connected", words.text, words.hint)

    def not_added(self, error: CallbackError) -> HTMLResponse:
        """The page for a shop that was added in the marketplace's own store, in vain."""
        words = explanation_of_added(error)
        return self.message(words.status, "Not connected", words.text, words.hint)

    def crowded(self, title: str, wait_s: float, hint: str) -> HTMLResponse:
        """The page for one visit too many."""
        page = self.message(429, title, "Wait a minute and load the page again.", hint, "step")
        page.headers["Retry-After"] = str(max(1, ceil(wait_s)))
        return page

    def connected(self, callback_result: CallbackResult) -> HTMLResponse:
        """The page for one that did."""
        text = f"{callback_result.shop_name or 'The account'} is connected to {callback_result.integration_name}."
        if callback_result.kept_until is None:
            hint = "You can close this page and go back to your system."
            return self.message(200, "Connected", text, hint, "done")
        day = f"{callback_result.kept_until.day} {callback_result.kept_until:%B %Y}"
        hint = f"Go back to your system and choose it there. The connection is kept until {day}."
        text = f"{text} Orders come in as soon as its currency is chosen."
        return self.message(200, "One step left: choose the currency", text, hint, "step")

    def authorise(self, view: AttemptView, ticket: str, browser: str) -> HTMLResponse:
        """The page with "Continue"."""
        return self._page("authorise.html", 200, {"view": view, "ticket": ticket, "browser": browser})

    def question(self, asked: Question) -> HTMLResponse:
        """The page that says which shop answered and asks whether to connect it."""
        return self._page("question.html", 200, {"asked": asked})

    def choice(self, asked: Choice, callback: Callback) -> HTMLResponse:
        """The page that asks which connection an answer is for; the answer itself comes back with the form."""
        return self._page("choice.html", 200, {"asked": asked, "callback": callback})

    def setback(self, setback: Setback) -> HTMLResponse:
        """The page that says what failed, and lets the person go on or stop."""
        words = explanation(setback.error)
        return self._page("setback.html", words.status, {"setback": setback, "words": words})

    def already_connected(self, asked: AlreadyConnected) -> HTMLResponse:
        """The page that says which integration has the shop already, and lets the draft end in it."""
        return self._page("already_connected.html", 200, {"asked": asked})

    def front(self, with_docs: bool) -> HTMLResponse:
        """The first page."""
        return self._page("front.html", 200, {"with_docs": with_docs})

    def not_found(self) -> HTMLResponse:
        """The page for an address that leads nowhere."""
        text = "There is no page at this address. Perhaps a letter of it is missing."
        return self.message(404, "Nothing here", text, "Open the link once more, or copy all of it.", "plain")

    def _page(
        self, template: str, status: int, words: Mapping[str, object], policy: str | None = None
    ) -> HTMLResponse:
        """A page. One with a form names no form-action.

        Chromium holds every redirect after a form to it: the marketplace's own ones, and those of the platform
        that the browser goes back to. These pages have our own forms and no injected markup.
        """
        html = self._templates.get_template(template).render(words)
        return HTMLResponse(html, status, {"Content-Security-Policy": policy or self._policy})


def _home(settings: ApiSettings) -> Mapping[str, str] | None:
    """Where the platform is, if it is at one place: the way on for whoever is at none of its pages."""
    if len(settings.return_origins) != 1:
        return None
    [origin] = settings.return_origins
    return {"href": origin, "name": urlsplit(origin).netloc}
