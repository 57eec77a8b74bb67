"""The OpenAPI document: FastAPI's own, completed with every operation's error answers and examples."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from channel_sync.api.examples import EXAMPLES
from channel_sync.api.problems import MEDIA_TYPE, Problem

_MEANINGS = {
    400: "The request cannot be read: broken JSON, a foreign cursor, a malformed header.",
    401: "There is no valid credential.",
    403: "The credential lacks the scope.",
    404: "There is no such thing, or it belongs to somebody else.",
    409: "The state of the thing does not allow this.",
    412: "The thing changed since it was read.",
    413: "The body is too large.",
    415: "The body is not JSON, or it is encoded.",
    422: "A member cannot be used; `errors` says which.",
    428: "The call needs a confirmation.",
    429: "Too many requests; wait as long as Retry-After says.",
    500: "Something broke; name the request id.",
    502: "The marketplace's reply could not be understood.",
    503: "The store or the marketplace is away; wait as long as Retry-After says.",
}
_CODES = {
    400: "malformed_json",
    401: "unauthorised",
    403: "insufficient_scope",
    404: "not_found",
    409: "wrong_state",
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
        )
        app.openapi_schema = _complete(document)
    return app.openapi_schema


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    for item in document["paths"].values():
        for method, operation in item.items():
            _add_errors(method, operation)
            _add_examples(operation)
    components = document["components"]
    problem = TypeAdapter(Problem).json_schema(ref_template="#/components/schemas/{model}")
    schemas = {**components["schemas"], **problem.pop("$defs"), "Problem": problem}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["schemas"] = dict(sorted(schemas.items()))
    components["responses"] = {f"Problem{status}": _problem_response(status) for status in _MEANINGS}
    return document


def _add_errors(method: str, operation: dict[str, Any]) -> None:
    named = {status: answer for status, answer in operation["responses"].items() if int(status) < 400}
    special = {int(status) for status in operation["responses"] if int(status) >= 400 and status != "422"}
    for status in sorted(special | _general_errors(method, operation)):
        told = operation["responses"].get(str(status), {}).get("description")
        named[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
        if told and status in special:
            named[str(status)]["description"] = told
    operation["responses"] = named


def _general_errors(method: str, operation: dict[str, Any]) -> set[int]:
    parameters = operation.get("parameters", [])
    names = {parameter["name"].lower() for parameter in parameters}
    found = {500, 503}
    if "security" in operation:
        found |= {401, 403, 429}
    if parameters or "requestBody" in operation:
        found |= {422}
    if "requestBody" in operation or method in _METHODS_WITH_BODY:
        found |= {400, 413, 415}
    if "cursor" in names:
        found |= {400}
    if any(parameter["in"] == "path" for parameter in parameters):
        found |= {404}
    if "if-match" in names:
        found |= {412}
    if "idempotency-key" in names:
        found |= {409, 422}
    return found


def _add_examples(operation: dict[str, Any]) -> None:
    example = EXAMPLES.get(operation["operationId"])
    if example is None:
        return
    if example.request is not None:
        operation["requestBody"]["content"]["application/json"]["example"] = example.request
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
