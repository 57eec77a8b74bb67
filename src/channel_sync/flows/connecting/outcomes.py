"""What a browser's way to the marketplace came to, and what a person may still be asked."""

from dataclasses import dataclass, field
from datetime import datetime

from channel_sync.domain.codes import CallbackError

CONNECTED = "connected"
_LONGEST_CODE = 2048


@dataclass(frozen=True, slots=True)
class Callback:
    """What the marketplace put into the address; all of it may be missing, or anybody's invention."""

    code: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)
    error: str | None = None
    iss: str | None = None

    @property
    def has_code(self) -> bool:
        """Whether there is a code that can be one."""
        text = self.code or ""
        return 0 < len(text) <= _LONGEST_CODE and text.isascii() and text.isprintable()


@dataclass(frozen=True, slots=True)
class CallbackResult:
    """How it ended. Without `integration_id` it belongs to nothing we know: no redirect, a page that says so.

    `kept_until` is when a draft goes that is connected and lacks its currency.
    """

    integration_id: str | None
    result: str
    error: CallbackError | None
    return_url: str | None = None
    shop_name: str | None = None
    integration_name: str | None = None
    kept_until: datetime | None = None


UNKNOWN_ATTEMPT = CallbackResult(None, "failed", "attempt_expired")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A connection that this browser has under way, as a person knows it; `ref` tells it from the others."""

    ref: str
    channel_name: str
    integration_name: str
    tenant: str
    client_id: str


@dataclass(frozen=True, slots=True)
class Question:
    """A shop answered and nothing says for whom: a person has to. Until then nothing is connected."""

    callback_id: str
    merchant_id: str
    shop_name: str | None
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer that may be for any of these, which use different apps: a person has to say before it is used."""

    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Setback:
    """It came to nothing, perhaps as an answer to something else: nothing is used up, and these may go on."""

    error: CallbackError
    candidates: tuple[Candidate, ...]
    shop_name: str | None = None


@dataclass(frozen=True, slots=True)
class AlreadyConnected:
    """The shop is another integration's, which got the new grant. The candidates are drafts that may end in it."""

    callback_id: str
    shop_name: str | None
    integration_name: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Added:
    """A shop was added in the marketplace's own store: the browser takes its claim to the platform."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NotAdded:
    """What came from the store came to nothing; the seller may add the app once more."""

    error: CallbackError


@dataclass(frozen=True, slots=True)
class Crowded:
    """More is being added than anybody can be adding; the code was not used."""


Asking = Question | Choice | Setback | AlreadyConnected
Outcome = CallbackResult | Asking
