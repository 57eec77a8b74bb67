"""Where we are reached. Every address of ours that leaves the service is put together here."""

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """What browsers and callers see of us. None of it ever comes from a request.

    `prefix` is the path that a proxy cuts off before it passes a request on: empty, or `/sync` and the like.
    """

    origin: str
    prefix: str = ""

    @property
    def is_https(self) -> bool:
        """Whether browsers reach us over https."""
        return self.origin.startswith("https://")

    def url(self, place: str) -> str:
        """The whole address of a place of ours, for those who come from elsewhere."""
        return f"{self.origin}{self.prefix}{place}"

    def href(self, place: str) -> str:
        """The same for those who know the host: they are talking to it."""
        return f"{self.prefix}{place}"

    def authorise(self, channel: str, ticket: str) -> str:
        """Where a seller's browser begins its way to a marketplace."""
        return self.url(f"/{channel}/authorise?ticket={ticket}")

    def callback(self, channel: str) -> str:
        """Where a marketplace sends the seller's browser back to; registered there exactly so."""
        return self.url(f"/{channel}/callback")


def public_address(url: str) -> PublicAddress:
    """The address without a slash at its end."""
    parts = urlsplit(url)
    return PublicAddress(f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/"))
