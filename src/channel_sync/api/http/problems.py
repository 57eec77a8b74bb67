"""Every error as application/problem+json (RFC 9457), and which status each of our errors has."""

from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Annotated, NotRequired

import msgspec
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope
from typing_extensions import TypedDict

from channel_sync.api.http.field_errors import FieldError, field_errors, in_body, in_query
from channel_sync.api.http.fields import one_of
from channel_sync.domain.addresses import PublicAddress
from channel_sync.domain.codes import PROBLEM_CODES, ProblemCode
from channel_sync.domain.errors import (
    AccessTokenRejected,
    ChannelError,
    ChannelRefused,
    ChannelSyncError,
    ChannelUnavailable,
    ConfirmationRequired,
    Conflict,
    GrantRejected,
    Invalid,
    NotFound,
    ReplyNotUnderstood,
    StaleVersion,
    StorageUnavailable,
    UnknownCarrier,
    ValueRefused,
)
from channel_sync.domain.quotas import Quota, QuotaExceeded

MEDIA_TYPE = "application/problem+json"
MAX_CHANNEL_CODE = 40

# The most special class first: the first one that fits decides.
_STATUSES: tuple[tuple[type[ChannelSyncError], int], ...] = (
    (NotFound, 404),
    (StaleVersion, 412),
    (ConfirmationRequired, 428),
    (Conflict, 409),
    (Invalid, 422),
    (QuotaExceeded, 429),
    (ValueRefused, 422),
    (StorageUnavailable, 503),
    (ChannelUnavailable, 503),
    (GrantRejected, 409),
    (ChannelRefused, 422),
    (ReplyNotUnderstood, 502),
)


# What an error of the marketplace is called here unless we know its code.
_CHANNEL_CODES: tuple[tuple[type[ChannelError], ProblemCode], ...] = (
    (ChannelUnavailable, "channel_unavailable"),
    (AccessTokenRejected, "access_token_rejected"),
    (GrantRejected, "grant_rejected"),
    (ChannelRefused, "channel_refused"),
    (ReplyNotUnderstood, "reply_not_understood"),
)
_KNOWN: dict[str, ProblemCode] = {code: code for code in PROBLEM_CODES}
_HTTP_CODES: dict[int, ProblemCode] = {404: "not_found", 405: "method_not_allowed"}

# The calls on the integration of the request that help against a refusal.
_HELPS = {
    "confirmation_required": ("GET", "/removal-preview"),
    "grant_lacks_scope": ("POST", "/reauthorise"),
    "integration_disabled": ("PUT", "/status"),
    "integration_needs_reauth": ("POST", "/reauthorise"),
    "integration_paused": ("POST", "/verify"),
    "integration_removed": ("POST", "/restore"),
    "reauthorise_required": ("POST", "/reauthorise"),
    "stale_version": ("GET", ""),
}


class NextAction(TypedDict):
    """The call that helps, and the members that it needs where they are known."""

    method: str
    href: str
    members: NotRequired[list[str]]


class Problem(TypedDict):
    """An error. `code` is stable, `request_id` is what to name to support.

    `instance` is the operation with its parameters not filled in, so that nothing of the request comes back.
    `channel_code` is the marketplace's own code where the marketplace refused, `quota` what the tenant has as many
    of as it may, `suggestions` the names that may have been meant.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: Annotated[str, one_of(PROBLEM_CODES)]
    request_id: str
    channel_code: NotRequired[str]
    errors: NotRequired[list[FieldError]]
    next_action: NotRequired[NextAction]
    related_id: NotRequired[str]
    quota: NotRequired[Quota]
    suggestions: NotRequired[list[str]]


class HttpProblem(HTTPException):
    """An error that only exists in HTTP: a bad header, a body too large, too many requests."""

    def __init__(
        self,
        status: int,
        code: ProblemCode,
        detail: str,
        headers: Mapping[str, str] | None = None,
        parameter: str = "",
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.code: ProblemCode = code
        self.parameter = parameter


def malformed(code: ProblemCode, detail: str) -> HttpProblem:
    """A request that cannot be read at all: 400."""
    return HttpProblem(400, code, detail)


def answer(scope: Scope, error: Exception) -> Response:
    """The response for an error that is meant for the caller; any other error becomes a bare 500."""
    if isinstance(error, RequestValidationError):
        return _validation_answer(scope, error)
    if isinstance(error, HTTPException):
        return _http_answer(scope, error)
    if isinstance(error, ChannelSyncError):
        return _domain_answer(scope, error)
    return _response(_problem(scope, 500, "internal_error", "Something broke here; name the request id."))


async def answer_request(request: Request, error: Exception) -> Response:
    """`answer` in the form of an exception handler."""
    return answer(request.scope, error)


def status_of(error: ChannelSyncError) -> int:
    """The status that stands for an error of ours."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 409)


def code_of(error: ChannelSyncError) -> ProblemCode:
    """The code that stands for an error of ours; the marketplace's own codes are none of the contract's."""
    if isinstance(error, ChannelRefused):
        return "channel_refused"
    for kind, code in _CHANNEL_CODES:
        if isinstance(error, kind):
            return _KNOWN.get(error.code, code)
    return _KNOWN.get(error.code, "internal_error")


def _domain_answer(scope: Scope, error: ChannelSyncError) -> Response:
    problem = _problem(scope, status_of(error), code_of(error), error.message)
    headers: dict[str, str] = {}
    match error:
        case Invalid():
            problem["errors"] = [_of_invalid(error)]
            if isinstance(error, UnknownCarrier):
                problem["suggestions"] = list(error.suggestions)
        case Conflict() if error.related_id is not None:
            problem["related_id"] = error.related_id
        case ChannelRefused():
            problem["channel_code"] = error.code[:MAX_CHANNEL_CODE]
        case ChannelUnavailable():
            headers["Retry-After"] = str(ceil(error.retry_after_s or 30))
        case QuotaExceeded():
            problem["quota"] = error.quota
            headers["Retry-After"] = "60"
        case StorageUnavailable():
            headers["Retry-After"] = "2"
    if error.code == "idempotency_in_progress":
        headers["Retry-After"] = "1"
    helps = _next_action(scope, error)
    if helps is not None:
        problem["next_action"] = helps
    return _response(problem, headers)


def _next_action(scope: Scope, error: ChannelSyncError) -> NextAction | None:
    if error.code == "account_already_connected" and isinstance(error, Conflict) and error.related_id:
        return _call(scope, "GET", f"/integrations/{error.related_id}")
    integration_id = scope.get("path_params", {}).get("integration_id")
    if integration_id is None and isinstance(error, Conflict):
        integration_id = error.related_id
    if error.code not in _HELPS or integration_id is None:
        return None
    method, place = _HELPS[error.code]
    return _call(scope, method, f"/integrations/{integration_id}{place}")


def _call(scope: Scope, method: str, place: str) -> NextAction:
    address: PublicAddress = scope["app"].state.address
    return {"method": method, "href": address.href(place)}


def _http_answer(scope: Scope, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if not isinstance(error, HttpProblem):
        detail = f"{HTTPStatus(error.status_code).phrase}."
        code = _HTTP_CODES.get(error.status_code, "bad_request")
        return _response(_problem(scope, error.status_code, code, detail), headers)
    problem = _problem(scope, error.status_code, error.code, error.detail)
    if error.parameter:
        problem["errors"] = [in_query(error.parameter, error.code, error.detail)]
    return _response(problem, headers)


def _validation_answer(scope: Scope, error: RequestValidationError) -> Response:
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return _response(_problem(scope, 400, "malformed_json", "The body is not JSON."))
    problem = _problem(scope, 422, "validation_failed", "Some of it cannot be used; see errors.")
    problem["errors"] = field_errors(found)
    return _response(problem)


def _of_invalid(error: Invalid) -> FieldError:
    if error.parameter is not None:
        return in_query(error.parameter, error.code, error.message)
    return in_body(error.pointer, error.code, error.message)


def _problem(scope: Scope, status: int, code: ProblemCode, detail: str) -> Problem:
    return {
        "type": f"urn:channel-sync:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "instance": operation_of(scope),
        "code": code,
        "request_id": scope.get("state", {}).get("request_id", ""),
    }


def operation_of(scope: Scope) -> str:
    """The path of the operation with `:id` where a parameter stands; `/` where no operation was found."""
    path: str = getattr(scope.get("route"), "path_format", "/")
    return path.replace("{", ":").replace("}", "")


def _response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(problem), problem["status"], dict(headers or {}), MEDIA_TYPE)
