"""The OpenAPI document: FastAPI's own, completed with every operation's error answers and examples."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from channel_sync.api.contract.examples import EXAMPLES
from channel_sync.api.contract.words import PATH_PARAMETERS
from channel_sync.api.http.fields import MAX_INTEGER
from channel_sync.api.http.problems import MEDIA_TYPE, Problem
from channel_sync.domain.codes import ProblemCode

_MEANINGS = {
    400: "The request cannot be read: broken JSON, a foreign cursor, a malformed header.",
    401: "There is no good credential; `code` says why, and so does `WWW-Authenticate`.",
    403: "The credential lacks the scope.",
    404: "There is no such thing, or it belongs to somebody else.",
    409: "The state of the thing does not allow this.",
    412: "The thing changed since it was read.",
    413: "The body is too large.",
    415: "The body is not JSON, or it is encoded.",
    422: "A member of the body, a parameter or a header cannot be used; `errors` says which.",
    428: "The call needs a confirmation.",
    429: "Too many requests; wait as long as Retry-After says.",
    500: "Something broke; name the request id.",
    502: "The marketplace's reply could not be understood.",
    503: "The store or the marketplace is away; wait as long as Retry-After says.",
}
_CODES: dict[int, ProblemCode] = {
    400: "malformed_json",
    401: "credential_missing",
    403: "insufficient_scope",
    404: "not_found",
    409: "integration_disabled",
    412: "stale_version",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "validation_failed",
    428: "confirmation_required",
    429: "rate_limited",
    500: "internal_error",
    502: "reply_not_understood",
    503: "storage_unavailable",
}
_METHODS_WITH_BODY = ("post", "put", "patch")


def operation_id(route: APIRoute) -> str:
    """The handler's name is the operation's name."""
    return route.name


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The document of `/openapi.json`, built once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
            servers=app.servers,
            license_info=app.license_info,
        )
        app.openapi_schema = _complete(document)
    return app.openapi_schema


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    for item in document["paths"].values():
        for method, operation in item.items():
            _add_errors(method, operation)
            _add_examples(operation)
            _describe_path(operation)
            # Said in so many words where nothing is needed, so that nobody takes it for forgotten.
            operation.setdefault("security", [])
    components = document["components"]
    problem = TypeAdapter(Problem).json_schema(ref_template="#/components/schemas/{model}")
    schemas = {**components["schemas"], **problem.pop("$defs"), "Problem": problem}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["schemas"] = dict(sorted(schemas.items()))
    components["responses"] = {f"Problem{status}": _problem_response(status) for status in _MEANINGS}
    _make_bounds_whole(components["schemas"])
    return document


def _describe_path(operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter["description"] = PATH_PARAMETERS[parameter["name"]]


def _make_bounds_whole(schema: Any) -> None:
    """FastAPI writes the bounds of integers as floats, which changes the largest one."""
    if isinstance(schema, list):
        for part in schema:
            _make_bounds_whole(part)
    if isinstance(schema, dict):
        for bound in ("minimum", "maximum"):
            if isinstance(schema.get(bound), float):
                schema[bound] = max(-MAX_INTEGER, min(MAX_INTEGER, int(schema[bound])))
        for part in schema.values():
            _make_bounds_whole(part)


def _add_errors(method: str, operation: dict[str, Any]) -> None:
    """Problem answers for what the operation names itself and for what its parts make possible."""
    given = {int(status): answer for status, answer in operation["responses"].items()}
    own = {status: answer for status, answer in given.items() if status < 400 or _is_told(answer)}
    if _is_page(operation):
        # A form that large is refused before anybody knows that a page would be welcome.
        own |= {413: _problem_reference(413)} if "requestBody" in operation else {}
    else:
        named = {status for status in given if status >= 400 and status != 422}
        for status in (_possible_errors(method, operation) | named) - set(own):
            words = given.get(status, {}).get("description")
            own[status] = _problem_reference(status) | ({"description": words} if words else {})
    operation["responses"] = {str(status): own[status] for status in sorted(own)}


def _is_told(answer: dict[str, Any]) -> bool:
    """Whether the operation itself says what this error looks like."""
    schemas = [media.get("schema", {}) for media in answer.get("content", {}).values()]
    return any("HTTPValidationError" not in schema.get("$ref", "") for schema in schemas)


def _is_page(operation: dict[str, Any]) -> bool:
    return any("text/html" in answer.get("content", {}) for answer in operation["responses"].values())


def _problem_reference(status: int) -> dict[str, Any]:
    return {"$ref": f"#/components/responses/Problem{status}"}


def _possible_errors(method: str, operation: dict[str, Any]) -> set[int]:
    parameters = {(one["in"], one["name"].lower()) for one in operation.get("parameters", [])}
    places = {place for place, _ in parameters}
    found = {500}
    if operation.get("security"):
        found |= {401, 403, 422, 429, 503}
    if "requestBody" in operation:
        found |= {400, 422}
    if method in _METHODS_WITH_BODY:
        found |= {413, 415}
    if "path" in places:
        found |= {404, 422}
    if places & {"query", "header"}:
        found |= {422}
    if ("query", "cursor") in parameters:
        found |= {400}
    if ("header", "if-match") in parameters:
        found |= {412}
    if ("header", "idempotency-key") in parameters:
        found |= {409}
    return found


def _add_examples(operation: dict[str, Any]) -> None:
    example = EXAMPLES.get(operation["operationId"])
    if example is None:
        return
    if example.request is not None:
        (media,) = operation["requestBody"]["content"].values()
        media["example"] = example.request
    for status, answer in operation["responses"].items():
        media = answer.get("content", {}).get("application/json")
        if media is not None and int(status) < 300:
            media["example"] = example.response


def _problem_response(status: int) -> dict[str, Any]:
    code = _CODES[status]
    example = {
        "type": f"urn:channel-sync:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": _MEANINGS[status],
        "instance": "/integrations/:integration_id",
        "code": code,
        "request_id": "req_01kaqy3v8ke6hbm0s1t2w3x4y5",
    }
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}}
    headers = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string"}}}
    answer = {"description": _MEANINGS[status], "content": content}
    return {**answer, "headers": headers} if status in (409, 429, 503) else answer
