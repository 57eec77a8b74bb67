"""The operations of the contract, for tests that hold for every one of them."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from channel_sync.main.service import contract

DOCUMENT = contract()


@dataclass(frozen=True)
class Operation:
    """One operation. `scope` is None where it is open to everybody."""

    id: str
    method: str
    path: str
    scope: str | None
    parameters: tuple[str, ...]
    example: Any
    members: frozenset[str]
    needs_body: bool

    async def call(self, client: httpx.AsyncClient, ids: dict[str, str], **more: Any) -> httpx.Response:
        """Make the call with the example as its body, or with `json` or `content`."""
        if self.example is not None and not {"json", "content"} & set(more):
            more["json"] = self.example
        more["headers"] = without_end(self.id) | more.get("headers", {})
        return await client.request(self.method, self.path.format(**ids), **more)


def without_end(operation_id: str) -> dict[str, str]:
    """What a caller sends that is to have no more than the beginning of an answer which has no end."""
    return {"Sec-Purpose": "prefetch"} if operation_id == "stream_events" else {}


# Members that the examples leave out, because they change something or fail where nobody set them up.
_MORE: dict[str, dict[str, Any]] = {
    "create_integration": {"return_url": "https://console.example.com/integrations"},
    "change_integration": {"default_currency": "EUR", "settings": {"stock": {"buffer": 2}}},
    "reauthorise_integration": {"return_url": "https://console.example.com/integrations"},
    "map_listing": {"sku": "MUG-BLUE"},
}


def _filled(operation_id: str, example: Any) -> Any:
    body = json.loads(json.dumps(example))
    return body | _MORE[operation_id] if operation_id in _MORE else body


def _members(body: dict[str, Any]) -> frozenset[str]:
    reference: str = body.get("schema", {}).get("$ref", "")
    schema = DOCUMENT["components"]["schemas"].get(reference.rsplit("/", 1)[-1], {})
    return frozenset(schema.get("properties", ()))


def _operation(path: str, method: str, declared: dict[str, Any]) -> Operation:
    body = declared.get("requestBody", {}).get("content", {}).get("application/json", {})
    security = declared.get("security")
    return Operation(
        id=declared["operationId"],
        method=method.upper(),
        path=path,
        scope=security[0]["bearer"][0] if security else None,
        parameters=tuple(one["name"] for one in declared.get("parameters", []) if one["in"] == "path"),
        example=_filled(declared["operationId"], body["example"]) if "example" in body else None,
        members=_members(body),
        needs_body=declared.get("requestBody", {}).get("required", False),
    )


OPERATIONS = [
    _operation(path, method, declared)
    for path, methods in DOCUMENT["paths"].items()
    for method, declared in methods.items()
]
GUARDED = [operation for operation in OPERATIONS if operation.scope is not None]
WITH_BODY = [operation for operation in OPERATIONS if operation.example is not None]
# What is asked of a marketplace names nothing that is a tenant's.
WITH_ID = [operation for operation in GUARDED if set(operation.parameters) - {"channel_type"}]


def ids(operations: list[Operation]) -> list[str]:
    """Names for pytest."""
    return [operation.id for operation in operations]


UNKNOWN_ATTEMPT = {
    "integration_id": "int_00000000000000000000000000",
    "run_id": "run_00000000000000000000000000",
    "order_id": "ord_00000000000000000000000000",
    "held_id": "hld_00000000000000000000000000",
    "listing_id": "lst_00000000000000000000000000",
    "key_id": "key_00000000000000000000000000",
    "sku": "NO-SUCH-SKU",
    "channel_type": "nowhere",
    "channel_order_id": "no-such-order",
}
