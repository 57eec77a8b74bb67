"""Consent and tokens at Wish: OAuth with a JSON body here, a GET there and an envelope round every answer.

Authlib's core builds the requests. Its `fetch_token` and `refresh_token` are not used: they are synchronous,
always renew by POST, and put the address with the client's secret into the exceptions of a failed call.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from authlib.common.urls import add_params_to_uri, url_decode
from authlib.oauth2.client import OAuth2Client
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from channel_sync.channels.wish.caps import Id, Several, Token, Word
from channel_sync.channels.wish.client import Request, WishClient
from channel_sync.channels.wish.lenient import DECIDES
from channel_sync.channels.wish.replies import Family, Reply, not_understood
from channel_sync.channels.wish.times import as_utc
from channel_sync.domain.channel import App, Consent, ConsentRequest, Grant
from channel_sync.domain.errors import ChannelUnavailable, RateLimited, ReplyNotUnderstood
from channel_sync.domain.secrets import Secret

_AUTHORISE_PATH = "/v3/oauth/authorize"
_TOKEN_PATH = "/api/v3/oauth/access_token"
_REFRESH_PATH = "/api/v3/oauth/refresh_token"
_LONGEST_GRANT = timedelta(days=400)
_OPAQUE = re.compile(r"[\x21-\x7e]{1,4096}")

Pairs = tuple[tuple[str, str], ...]


class _Tokens(msgspec.Struct, gc=False):
    access_token: Token
    expiry_time: datetime
    merchant_id: Id
    refresh_token: Annotated[Token | None, DECIDES] = None
    scopes: Annotated[list[Word], Several] | None = None


def consent_url(base_url: str, asked: ConsentRequest) -> str:
    """Where the merchant consents. Authlib's own builder would add `response_type`, which Wish does not know."""
    members = [
        ("client_id", asked.client_id),
        ("state", asked.state),
        ("code_challenge", asked.code_challenge),
        ("code_challenge_method", "S256"),
    ]
    return str(add_params_to_uri(base_url + _AUTHORISE_PATH, members))


async def redeem(client: WishClient, app: App, consent: Consent) -> Grant:
    """The grant for a code. Sent once: Wish takes a code once, and a second try would hide the first's success."""
    form = prepare_token_request(
        "authorization_code",
        code=consent.code.value,
        redirect_uri=consent.redirect_url,
        code_verifier=None if consent.code_verifier is None else consent.code_verifier.value,
    )
    body = msgspec.json.encode(dict(_with_client(app, form)))
    request = Request(Family.GRANT, "POST", _TOKEN_PATH, body=body, is_repeatable=False)
    return _grant(await client.call_without_token(request, app.environment), client.now(), None)


async def renew(client: WishClient, app: App, refresh_token: Secret) -> Grant:
    """A new grant. A lost answer is asked for again at once: the old access token may be dead already.

    Only GET is published, so client secret and refresh token stand in the address.
    """
    form = prepare_token_request("refresh_token", refresh_token=refresh_token.value)
    request = Request(Family.GRANT, "GET", _REFRESH_PATH, _with_client(app, form))
    reply = await _twice_if_lost(lambda: client.call_without_token(request, app.environment))
    return _grant(reply, client.now(), refresh_token)


async def _twice_if_lost(call: Callable[[], Awaitable[Reply]]) -> Reply:
    try:
        return await call()
    except RateLimited:
        raise
    except (ReplyNotUnderstood, ChannelUnavailable):
        return await call()


def _with_client(app: App, form: str) -> Pairs:
    """The request's members with the app's id and secret; RFC 6749 calls this way `client_secret_post`."""
    oauth = OAuth2Client(None, app.client_id, app.client_secret.value, "client_secret_post")
    _, _, signed = oauth.client_auth(oauth.token_endpoint_auth_method).prepare("POST", "", {}, form)
    return tuple((str(name), str(value)) for name, value in url_decode(signed))


def _grant(reply: Reply, now: datetime, old_refresh_token: Secret | None) -> Grant:
    """Wish's answer, doubted: what is stored here is sent and shown for a month.

    Without a new refresh token the old one stays in force; scopes that cannot be read are not told.
    """
    tokens = reply.read(_Tokens)
    scopes = tuple(scope for scope in tokens.scopes or () if _OPAQUE.fullmatch(scope))
    refresh_token = tokens.refresh_token
    if refresh_token is None and old_refresh_token is not None:
        refresh_token = old_refresh_token.value
    return Grant(
        access_token=Secret(_opaque(tokens.access_token, "/access_token", reply)),
        refresh_token=Secret(_opaque(refresh_token, "/refresh_token", reply)),
        expires_at=_expiry(tokens.expiry_time, now, reply),
        merchant_id=_opaque(str(tokens.merchant_id), "/merchant_id", reply),
        scopes=scopes or None,
    )


def _opaque(text: str | None, pointer: str, reply: Reply) -> str:
    if text is None or not _OPAQUE.fullmatch(text):
        raise not_understood("bad_grant", f"Wish's grant has no usable {pointer}.", reply.request_id)
    return text


def _expiry(moment: datetime, now: datetime, reply: Reply) -> datetime:
    try:
        expires_at = as_utc(moment)
    except OverflowError:
        expires_at = now
    if not now < expires_at < now + _LONGEST_GRANT:
        raise not_understood("bad_grant", "Wish's grant has no usable /expiry_time.", reply.request_id)
    return expires_at
