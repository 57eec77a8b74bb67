"""A person with a browser: what they do, and what their browser asked for and complained about."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urljoin, urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect
from tests.browser.stage import Seller

OWN_HOSTS = ("127.0.0.1", "localhost")


@dataclass
class Visitor:
    """One browser without a past."""

    page: Page
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    @property
    def foreign_requests(self) -> list[str]:
        """Addresses beyond this machine that a page asked for."""
        web = [request.url for request in self.requests if request.url.startswith(("http", "ws"))]
        return [url for url in web if urlsplit(url).hostname not in OWN_HOSTS]

    @property
    def query(self) -> dict[str, str]:
        """The query of the address that the visitor sees."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.page.url).query).items()}

    @property
    def heading(self) -> str:
        """The heading of the page."""
        return self.page.get_by_role("heading", level=1).inner_text()

    def go_on_to_wish(self, authorise_url: str) -> None:
        """Open the link and press Continue."""
        self.page.goto(authorise_url)
        self.page.get_by_role("button", name="Continue to Wish").click()
        expect(self.page).to_have_title("Log in · Simulated Wish")

    def log_in(self, seller: Seller) -> None:
        """Log in at Wish; the consent page follows."""
        self.page.get_by_label("Log-in name").fill(seller.login)
        self.page.get_by_label("Password").fill(seller.password)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.get_by_role("button", name="Allow")).to_be_visible()

    def allow(self) -> None:
        """Consent; the browser goes where Wish sends it."""
        self.page.get_by_role("button", name="Allow").click()

    def connect_this_shop(self) -> None:
        """Say yes to the shop that answered; the browser goes where we send it."""
        expect(self.page.get_by_role("heading", name="Connect this shop?")).to_be_visible()
        self.page.get_by_role("button", name="Connect this shop").click()

    def allow_but_stay(self) -> str:
        """Consent as the page's form would; the address that Wish sends the browser to, which it does not load."""
        form = {name: self.page.locator(f"[name={name}]").input_value() for name in ("client_id", "state")}
        url = urljoin(self.page.url, "/v3/oauth/authorize")
        answer = self.page.context.request.post(url, form={**form, "decision": "allow"}, max_redirects=0)
        return answer.headers["location"]

    def consent_again(self, authorise_url: str, seller: Seller) -> None:
        """Open the link once more and go all the way, as this seller whoever was logged in before."""
        self.page.context.clear_cookies(name="wish_session")
        self.go_on_to_wish(authorise_url)
        self.log_in(seller)
        self.allow()

    def deny(self) -> None:
        """Refuse; the browser goes where Wish sends it."""
        self.page.get_by_role("button", name="Deny").click()


@contextmanager
def new_visitor(chromium: Browser) -> Iterator[Visitor]:
    """A browser context of its own; it must have asked for nothing beyond this machine."""
    context = chromium.new_context(locale="en-GB")
    visitor = Visitor(context.new_page())
    yield visitor
    context.close()
    assert visitor.foreign_requests == []
