"""Wish's envelope and error codes, turned into values or our errors (published v3 document 3.0.65, July 2026)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import msgspec

from channel_sync.channels.wish.caps import MOST_COMMAS, MOST_REPLY_BYTES
from channel_sync.channels.wish.lenient import Unfit, read_members
from channel_sync.channels.wish.plain_text import clean
from channel_sync.channels.wish.rows import members_of, rows_of
from channel_sync.domain.errors import (
    AccessTokenRejected,
    AccountDisabled,
    ChannelError,
    ChannelRefused,
    ChannelUnavailable,
    ClientRejected,
    GrantRejected,
    RateLimited,
    ReplyNotUnderstood,
)

Shape = TypeVar("Shape", bound=msgspec.Struct)
MAX_REASON = 300
_MOST_CODE = 2**31 - 1
RATE_LIMITED = 1056
TOKEN_NOT_SENT = 1012


class Family(StrEnum):
    """Operations that share the meaning of their error codes; `GRANT` is OAuth without an access token."""

    GRANT = "grant"
    OAUTH = "oauth"
    MERCHANT = "merchant"
    ORDERS = "orders"
    ORDER_CHANGES = "order_changes"
    PRODUCTS = "products"
    WEBHOOKS = "webhooks"


_CALLS_WITH_A_TOKEN = tuple(family for family in Family if family is not Family.GRANT)

# Codes from 10000 up mean one thing in OAuth and another elsewhere, so the family is part of the key.
_GRANT_CODES = {
    1006: "refresh_token_rejected",
    10002: "code_used",
    10004: "code_expired",
    10008: "code_wrong",
}
# 1009, 1015, 1016 and 4000 are not published for v3; clients in the field treat them as token errors.
_TOKEN_CODES = (1006, 1007, 1008, 1009, 1015, 1016, 4000)

_REJECTIONS: dict[tuple[Family, int], tuple[type[ChannelError], str]] = {
    **{(Family.GRANT, code): (GrantRejected, "grant_rejected") for code in _TOKEN_CODES},
    **{(Family.GRANT, code): (GrantRejected, name) for code, name in _GRANT_CODES.items()},
    (Family.GRANT, 10001): (ClientRejected, "client_rejected"),
    **{(f, code): (AccessTokenRejected, str(code)) for f in _CALLS_WITH_A_TOKEN for code in _TOKEN_CODES},
    **{(f, 1002): (AccountDisabled, "account_disabled") for f in Family},
    **{(f, TOKEN_NOT_SENT): (ReplyNotUnderstood, "token_not_sent") for f in Family},
}

_MESSAGES: dict[type[ChannelError], str] = {
    GrantRejected: "Wish does not accept these credentials.",
    ClientRejected: "Wish does not accept these credentials.",
    AccessTokenRejected: "Wish does not accept the access token.",
    AccountDisabled: "Wish has disabled this merchant account.",
    ReplyNotUnderstood: "Wish says that no access token was sent.",
}


class Envelope(msgspec.Struct, gc=False):
    """`data` is kept as text until somebody knows its shape."""

    code: int | str | None = None
    message: msgspec.Raw = msgspec.Raw()
    data: msgspec.Raw = msgspec.Raw()


_ENVELOPE = msgspec.json.Decoder(Envelope)
_CODE = msgspec.json.Decoder(int | str | None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came over the wire. `wait_s` and `remaining` are what Wish's limiter says, where it does."""

    status: int
    body: bytes | bytearray
    is_html: bool = False
    request_id: str | None = None
    remaining: int | None = None
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A success: its data, still JSON."""

    data: msgspec.Raw
    request_id: str | None

    def read(self, shape: type[Shape]) -> Shape:
        """The data as `shape`; ReplyNotUnderstood when it is something else."""
        return read(bytes(self.data), shape, self.request_id)

    def read_rows(self, shape: type[Shape]) -> list[Shape]:
        """The same for a list of them."""
        rows = enumerate(rows_of(self.data, self.request_id))
        return [read(row, shape, self.request_id, f"/{position}") for position, row in rows]


def read(text: bytes, shape: type[Shape], request_id: str | None = None, pointer: str = "") -> Shape:
    """JSON as `shape`, member by member where it does not fit as a whole.

    ReplyNotUnderstood names the place of what decides and does not fit, never what stands there.
    """
    if len(text) > MOST_REPLY_BYTES or text.count(b",") > MOST_COMMAS:
        raise not_understood("reply_too_large", "The reply is larger than what was asked for can be.", request_id)
    text = clean(text)
    try:
        return msgspec.json.decode(text, type=shape)
    except (ValueError, RecursionError):
        pass
    try:
        return read_members(shape, text, [], pointer)
    except Unfit as unfit:
        where = unfit.pointer
        raise not_understood("unexpected_shape", f"The reply does not fit at {where!r}.", request_id) from None


def not_understood(code: str, message: str, request_id: str | None = None) -> ReplyNotUnderstood:
    """The error for a reply that breaks the contract."""
    return ReplyNotUnderstood(code, message, request_id)


def read_answer(family: Family, answer: Answer) -> tuple[int | None, Reply | ChannelError]:
    """Wish's code and what the answer comes to. HTTP 2xx with code 0 is the only success."""
    envelope = _envelope(answer.body)
    code = _code(envelope)
    if envelope is None or code != 0 or not 200 <= answer.status < 300:
        return code, _error(family, answer, envelope, code)
    return code, Reply(envelope.data, answer.request_id)


def _envelope(body: bytes | bytearray) -> Envelope | None:
    """The envelope, also round data that no decoder takes: whoever reads those says what is wrong with them."""
    try:
        return _ENVELOPE.decode(body)
    except (ValueError, RecursionError):
        pass
    try:
        members = members_of(body)
        code = _CODE.decode(members.get("code", b"null"))
    except (ValueError, RecursionError):
        return None
    message, data = (msgspec.Raw(members.get(name, b"")) for name in ("message", "data"))
    return Envelope(code, message, data)


def _code(envelope: Envelope | None) -> int | None:
    """The code as a number; the published examples print it as text."""
    try:
        code = None if envelope is None or envelope.code is None else int(envelope.code)
    except ValueError:
        return None
    return code if code is None or abs(code) <= _MOST_CODE else None


def _error(family: Family, answer: Answer, envelope: Envelope | None, code: int | None) -> ChannelError:
    """Code first, status second: the status of token errors is not published."""
    if code is not None and (family, code) in _REJECTIONS:
        rejection, name = _REJECTIONS[family, code]
        return rejection(name, _MESSAGES[rejection], answer.request_id)
    if answer.status == 429 or code == RATE_LIMITED:
        return RateLimited("Wish asks us to slow down.", answer.wait_s, answer.request_id)
    if answer.status >= 500:
        return _unavailable("server_error", f"Wish answered {answer.status}.", answer)
    if answer.status == 401 and family is not Family.GRANT:
        return AccessTokenRejected("http_401", _MESSAGES[AccessTokenRejected], answer.request_id)
    if answer.is_html or answer.status in (408, 425):
        return _unavailable("gateway_page", f"A gateway answered {answer.status} for Wish.", answer)
    return _refusal_or_riddle(family, answer, envelope, code)


def _refusal_or_riddle(
    family: Family, answer: Answer, envelope: Envelope | None, code: int | None
) -> ChannelError:
    if 300 <= answer.status < 400:
        return not_understood("redirect", "Wish answered with a redirect.", answer.request_id)
    if code:
        return ChannelRefused(str(code), reason_for(family, envelope), answer.request_id)
    if answer.status >= 400:
        return ChannelRefused(f"http_{answer.status}", f"Wish answered {answer.status}.", answer.request_id)
    return not_understood("no_envelope", "The reply is not Wish's envelope.", answer.request_id)


def reason_for(family: Family, envelope: Envelope | None) -> str:
    """Wish's own words where a seller needs them; those of token operations could repeat a secret."""
    if family not in (Family.PRODUCTS, Family.ORDER_CHANGES) or envelope is None:
        return "Wish refused the request."
    try:
        return readable(msgspec.json.decode(envelope.message, type=str)) or "Wish gave no reason."
    except (ValueError, RecursionError):
        return "Wish gave no reason."


def readable(text: str) -> str:
    """Foreign text fit to be shown: no control characters or what stands for them, not longer than a paragraph."""
    letters = text[:MAX_REASON].replace("\ufffd", " ")
    return "".join(letter if letter.isprintable() else " " for letter in letters).strip()


def _unavailable(code: str, message: str, answer: Answer) -> ChannelUnavailable:
    return ChannelUnavailable(code, message, answer.wait_s, answer.request_id)
