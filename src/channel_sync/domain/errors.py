"""What can go wrong, drawn by what the caller should do next.

ChannelSyncError
├── NotFound                 there is no such thing for this caller
├── Conflict                 the thing is in another state than the call needs
│   ├── AlreadyRunning       one of this kind runs; here it is
│   ├── StaleVersion         somebody changed it since it was read
│   ├── StockBraked          too much would be set to zero; a person decides
│   └── ConfirmationRequired say it again, naming what is lost
├── Invalid                  the input cannot be used; names the member, never its value
├── QuotaExceeded            end one of what the tenant has; domain/quotas.py
├── ValueRefused             the database takes no such value; store the others without it
├── StorageUnavailable       try again in a moment
├── RunLost                  stop quietly; another run owns this
├── RunStopped               stop at once; a person asked for it
└── ChannelError
    ├── ChannelUnavailable   try later; carries retry_after_s
    │   ├── RateLimited           it asks us to slow down
    │   ├── CircuitOpen           it did not answer lately, so this call was not made
    │   ├── NoAnswer              no connection, or none that lasted
    │   └── PlatformApp…          the operator has to set it right; domain/platform_apps.py
    ├── GrantRejected        ask the merchant
    │   ├── ClientRejected        the application's id or secret is wrong
    │   ├── AccessTokenRejected   renew once, then ask
    │   └── AccountDisabled       the marketplace closed the account
    ├── ChannelRefused       give up on this item; carries the channel's code
    │   └── NotAtChannel          there is no such thing
    └── ReplyNotUnderstood   give up and tell us; carries where, never the body
"""

from channel_sync.domain.brakes import STOCK_BRAKED
from channel_sync.domain.codes import ErrorCode


class ChannelSyncError(Exception):
    """Something the caller is told about by a stable code and a sentence without personal data."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: str = code
        self.message = message


class NotFound(ChannelSyncError):
    """There is no such thing, or it belongs to somebody else: the caller cannot tell which."""

    def __init__(self, thing: str = "resource") -> None:
        super().__init__("not_found", f"No such {thing}.")


class Conflict(ChannelSyncError):
    """The state does not allow this; read the thing again. `related_id` names the other party, if any."""

    def __init__(self, code: ErrorCode, message: str, related_id: str | None = None) -> None:
        super().__init__(code, message)
        self.related_id = related_id


class AlreadyRunning(Conflict):
    """A run of this kind is open for the integration; `related_id` is its id."""

    def __init__(self, run_id: str) -> None:
        super().__init__("already_running", "A run of this kind is in progress.", run_id)


class StaleVersion(Conflict):
    """The version in If-Match is not the newest one; read again and repeat."""

    def __init__(self) -> None:
        super().__init__("stale_version", "The integration changed since it was read.")


class StockBraked(Conflict):
    """A push would empty too much of a shop at once; nothing is sent until a person releases the brake."""

    def __init__(self, emptied: int, listings: int) -> None:
        super().__init__(
            STOCK_BRAKED, f"{emptied} of {listings} listings would be set to zero at once. Nothing was sent."
        )


class ConfirmationRequired(Conflict):
    """A removal needs `confirm` to be the exact name."""

    def __init__(self) -> None:
        super().__init__("confirmation_required", "Repeat with confirm set to the integration's exact name.")


class Invalid(ChannelSyncError):
    """A value cannot be used; it is never repeated.

    `pointer` is the JSON pointer of the member of the body, or `parameter` the name of one of the query.
    """

    def __init__(self, code: ErrorCode, message: str, pointer: str = "", parameter: str | None = None) -> None:
        super().__init__(code, message)
        self.pointer = pointer
        self.parameter = parameter


class UnknownCarrier(Invalid):
    """The marketplace has no such carrier; `suggestions` are names of its own that may have been meant."""

    def __init__(self, suggestions: tuple[str, ...]) -> None:
        super().__init__("unknown_carrier", "The marketplace has no carrier of this name.", "/carrier")
        self.suggestions = suggestions


class ValueRefused(ChannelSyncError):
    """The database does not take one of the values, now or later; nothing was stored. Which, it may not tell."""

    def __init__(self) -> None:
        super().__init__("value_refused", "The store does not take one of the values.")


class StorageUnavailable(ChannelSyncError):
    """The database does not answer or does not take writes; nothing was stored."""

    def __init__(self, message: str = "The store is busy or restarting.") -> None:
        super().__init__("storage_unavailable", message)


class StorageAway(StorageUnavailable):
    """There is no way into the database. `reason` says why, to whoever set the address, and to nobody else."""

    def __init__(self, reason: str = "the database cannot be reached") -> None:
        super().__init__()
        self.reason = reason


class StorageRefused(StorageAway):
    """The database lets nobody in with this address. Somebody may be mending it."""

    def __init__(self) -> None:
        super().__init__("the database refuses us: there is no such database or user, or the password is another")


class RunLost(ChannelSyncError):
    """Another process closed this run; whatever it was about to write is not written."""

    def __init__(self, run_id: str) -> None:
        super().__init__("run_lost", f"Run {run_id} was closed by another process.")


class RunStopped(ChannelSyncError):
    """The run was cancelled, or its integration was disabled or removed."""

    def __init__(self) -> None:
        super().__init__("run_stopped", "The run was stopped.")


class ChannelError(ChannelSyncError):
    """The marketplace did not do what was asked. `request_id` is the marketplace's own, where it gave one.

    The code may be the marketplace's, too: a run tells it as it is, an answer of the API does not.
    """

    def __init__(self, code: str, message: str, request_id: str | None = None) -> None:
        super().__init__("channel_refused", message)
        self.code = code
        self.request_id = request_id


class ChannelUnavailable(ChannelError):
    """Time-outs, 5xx, rate limits: nothing is wrong with the request. `retry_after_s` where it is known.

    It may have taken effect, or may yet, unless it `did_nothing`.
    """

    def __init__(
        self,
        code: str,
        message: str,
        retry_after_s: float | None = None,
        request_id: str | None = None,
        did_nothing: bool = False,
    ) -> None:
        super().__init__(code, message, request_id)
        self.retry_after_s = retry_after_s
        self.did_nothing = did_nothing


class RateLimited(ChannelUnavailable):
    """The marketplace asks us to slow down, and has read no more of the call than whose it is."""

    def __init__(self, message: str, retry_after_s: float | None = None, request_id: str | None = None) -> None:
        super().__init__("rate_limited", message, retry_after_s, request_id, did_nothing=True)


class CircuitOpen(ChannelUnavailable):
    """The marketplace did not answer lately. This call was not made."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__("marketplace_unavailable", message, retry_after_s, did_nothing=True)


class NoAnswer(ChannelUnavailable):
    """There was no connection, or no answer in time."""


class GrantRejected(ChannelError):
    """The marketplace will not accept these credentials again; only the merchant can help."""


class ClientRejected(GrantRejected):
    """The application's id or secret is wrong."""


class AccessTokenRejected(GrantRejected):
    """The access token is expired or revoked; a renewal may help."""


class AccountDisabled(GrantRejected):
    """The marketplace disabled the account; authorising again does not help."""


class ChannelRefused(ChannelError):
    """The marketplace understood and said no; repeating the same will not help."""


class NotAtChannel(ChannelRefused):
    """The marketplace has no such thing in this shop."""


class ReplyNotUnderstood(ChannelError):
    """The reply breaks the contract. The code says how, the message says where; the body is never kept here."""


def may_have_landed(error: ChannelSyncError) -> bool:
    """Whether a call that ended so may have taken effect, or may yet."""
    match error:
        case ChannelUnavailable():
            return not error.did_nothing
        case GrantRejected() | ChannelRefused() | RunStopped():
            return False
        case _:
            return True
