"""What the pages say, by error code."""

from typing import Any, NamedTuple

from channel_sync.domain.codes import CallbackError


class Explanation(NamedTuple):
    """How a connection ended, for the person in front of the browser, and what to do about it."""

    status: int
    text: str
    hint: str


WHERE_TO_START = "Go back to your system and start the connection there."
NOT_OURS = "This browser did not start a connection here, or started it too long ago."
IN_THE_STORE = "Go back to the marketplace's store, and add the app there once more."
READ_AHEAD = "This address is not for reading ahead."
UNREADABLE = "This address is damaged. Nothing has changed."

_FAILED = Explanation(400, "The connection failed. Nothing has changed.", WHERE_TO_START)
_ENDINGS = {
    "access_denied": Explanation(
        400, "The consent was refused. Nothing has changed.", "You can begin again whenever you want to."
    ),
    "attempt_expired": Explanation(
        410, "This link is too old or not known. Nothing has changed.", "Ask your system for a new one."
    ),
    "attempt_used": Explanation(
        409,
        "This link was used already.",
        "Go on in the browser that opened it first, or ask your system for a new one.",
    ),
    "state_mismatch": Explanation(
        400,
        "The answer does not belong to what was asked. Nothing has changed.",
        "If you chose Continue more than once, only the last answer counts. Open your link again.",
    ),
    "exchange_failed": Explanation(
        400,
        "The marketplace did not complete the connection. Nothing has changed.",
        "If this happens again: compare the client secret and the redirect URL there with your system.",
    ),
    "insufficient_scope": Explanation(
        400,
        "The consent does not cover everything that is needed.",
        "Add the missing scopes to the app at the marketplace, then connect again.",
    ),
    "account_mismatch": Explanation(
        409,
        "You signed in with another account than this integration belongs to.",
        "Sign out at the marketplace, sign in with the right account, and try again.",
    ),
    "account_already_connected": Explanation(
        409,
        "This account is connected by another integration already.",
        "Use that integration, or connect another account.",
    ),
    "account_in_use": Explanation(
        409,
        "This account is connected already.",
        "Make an app of its own at the marketplace for this system, or connect another account.",
    ),
}


_NOT_ADDED = {
    "attempt_used": Explanation(409, "This answer was used already.", IN_THE_STORE),
    "exchange_failed": Explanation(
        400, "The marketplace did not complete the connection. Nothing has changed.", IN_THE_STORE
    ),
}


def explanation_of_added(code: CallbackError) -> Explanation:
    """The same for a shop that was added in the marketplace's own store."""
    return _NOT_ADDED.get(code) or explanation(code)


def explanation(code: str | None) -> Explanation:
    """The words for an error code; a code without words of its own gets general ones."""
    return _ENDINGS.get(code or "", _FAILED)


_PAGE = {"text/html": {"schema": {"type": "string"}}}

# What the operations on pages may answer, for the contract.
PAGES: dict[int | str, dict[str, Any]] = {
    303: {"description": "The browser goes on."},
    400: {"description": "Nothing has changed.", "content": _PAGE},
    409: {"description": "Used already, or not the right account.", "content": _PAGE},
    410: {"description": "Too old.", "content": _PAGE},
    429: {"description": "Too many visits; wait as long as Retry-After says.", "content": _PAGE},
    503: {"description": "Load it again in a moment.", "content": _PAGE},
}
