"""The token operations: exchange, refresh, test."""

from collections.abc import Mapping

import msgspec

from wish_simulator.bodies import TokenRequest
from wish_simulator.calls import Answer, Call, Operation
from wish_simulator.clock import written
from wish_simulator.documents import to_bytes
from wish_simulator.grants import AccessToken
from wish_simulator.refusals import BAD_OAUTH_PARAMETER, Refusal


def exchange_by_get(call: Call) -> Answer:
    return _exchange(call, call.query)


def exchange_by_post(call: Call) -> Answer:
    try:
        body = msgspec.json.decode(call.body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(BAD_OAUTH_PARAMETER, "the body is not a JSON object") from error
    return _exchange(call, body)


def refresh(call: Call) -> Answer:
    names = ("client_id", "client_secret", "refresh_token", "grant_type")
    client_id, client_secret, refresh_token, grant_type = (_text(call.query.get(name), name) for name in names)
    if grant_type != "refresh_token":
        raise Refusal(BAD_OAUTH_PARAMETER, "wrong grant_type")
    app = call.market.grants.app_of(client_id, client_secret)
    return _tokens(call.market.grants.refresh(app, refresh_token))


def check_token(call: Call) -> Answer:
    return to_bytes({"merchant_id": call.grant_token.grant.merchant.id})


def _exchange(call: Call, sent: Mapping[str, object]) -> Answer:
    try:
        request = msgspec.convert(dict(sent), TokenRequest)
    except msgspec.ValidationError as error:
        raise Refusal(BAD_OAUTH_PARAMETER, f"invalid parameter: {error}") from error
    if request.grant_type != "authorization_code":
        raise Refusal(BAD_OAUTH_PARAMETER, "wrong grant_type")
    app = call.market.grants.app_of(request.client_id, request.client_secret)
    return _tokens(call.market.grants.exchange(app, request.redirect_uri, request.code))


def _text(value: str | None, name: str) -> str:
    if not value:
        raise Refusal(BAD_OAUTH_PARAMETER, f"{name} is required")
    return value


def _tokens(token: AccessToken) -> Answer:
    answer = {
        "access_token": token.value,
        "refresh_token": token.grant.refresh_token,
        # The one real sample prints an offset here, not Z.
        "expiry_time": written(token.expires_ms, "+00:00"),
        "merchant_id": token.grant.merchant.id,
        "scopes": list(token.grant.scopes),
    }
    return to_bytes(answer)


OPERATIONS = (
    Operation("GET", "/api/v3/oauth/access_token", exchange_by_get, is_open=True),
    Operation("POST", "/api/v3/oauth/access_token", exchange_by_post, is_open=True),
    Operation("GET", "/api/v3/oauth/refresh_token", refresh, is_open=True),
    Operation("GET", "/api/v3/oauth/test", check_token),
)
