"""The pages a seller's browser sees on its way to the marketplace and back."""

import base64
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

_TEMPLATES = Path(__file__).parent / "templates"


class Pages:
    """Server-rendered pages without scripts; the one style is allowed by its hash."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined
        )
        style = (_TEMPLATES / "page.css").read_text()
        self._templates.globals["style"] = Markup(style)
        digest = base64.b64encode(sha256(style.encode()).digest()).decode()
        self._policy = f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'"

    def message(self, status: int, title: str, text: str, hint: str) -> HTMLResponse:
        """A page that only says something."""
        policy = f"{self._policy}; form-action 'none'"
        return self._page("message.html", status, policy, {"title": title, "text": text, "hint": hint})

    def authorise(self, **words: str | bool | None) -> HTMLResponse:
        """The page with "Continue".

        Chromium holds the redirect after a form to `form-action` too, and the address of the marketplace is only
        decided when the form is sent; so this page names no form-action. It has one form and no injected markup.
        """
        return self._page("authorise.html", 200, self._policy, words)

    def _page(self, template: str, status: int, policy: str, words: dict[str, str | bool | None]) -> HTMLResponse:
        html = self._templates.get_template(template).render(words)
        return HTMLResponse(html, status, {"Content-Security-Policy": policy})
