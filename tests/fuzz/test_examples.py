"""Every example of the contract, sent as it stands to the real service: it succeeds, and what was there stays."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.api.contract import DOCUMENT, without_end
from tests.fuzz.ground import Runtime
from tests.processes import wait_until

OPERATIONS = [
    (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
NOT_200 = {
    "paste_credentials": (422, "No example can hold a secret that works; nothing is stored."),
    "preview_claim": (422, "Only a shop that was added at the marketplace has a claim; tests/browser walks it."),
    "leave_for_marketplace": (303, "It goes on to the marketplace."),
    "answer_question": (400, "Nothing was asked; tests/browser walks it."),
    "finish_authorisation": (400, "Only the marketplace's answer gets further; tests/browser walks it."),
}


def used_up(ground: Runtime, operation_id: str, integration_id: str) -> dict[str, str]:
    """Things of its own for an operation that ends what it is called with."""
    fresh: dict[str, Callable[[], dict[str, str]]] = {
        "remove_integration": lambda: {"integration_id": ground.draft()["id"]},
        "restore_integration": lambda: {"integration_id": ground.removed()},
        "revoke_api_key": lambda: {"key_id": ground.spare_key()},
        "dispatch_order": lambda: {"order_id": ground.fresh_order()},
        "refund_order": lambda: {"order_id": ground.fresh_order()},
        "cancel_run": lambda: {"run_id": ground.started_run(integration_id)},
    }
    return fresh.get(operation_id, dict)()


def sent(
    ground: Runtime, path: str, method: str, operation: dict[str, Any], integration_id: str
) -> httpx.Response:
    """The answer to the example with real ids in its path, as Swagger UI sends it."""
    ids = ground.ids | used_up(ground, operation["operationId"], integration_id)
    content = operation.get("requestBody", {}).get("content", {})
    body = content.get("application/json", {})
    sent: dict[str, Any] = {"json": body["example"]} if "example" in body else {}
    if "text/csv" in content:
        sent = {"content": content["text/csv"]["example"], "headers": {"Content-Type": "text/csv"}}
    query = {"ticket": ground.ticket()} if path == "/wish/authorise" else {}
    headers = sent.pop("headers", {}) | without_end(operation["operationId"])
    return ground.caller.request(method, path.format(**ids), params=query, headers=headers, **sent)


def what_matters(ground: Runtime) -> str:
    """The seeded shop, its orders, listings and stock, and who may do what."""
    integration_id, sku = ground.ids["integration_id"], ground.ids["sku"]
    places = [
        f"/integrations/{integration_id}",
        f"/orders?integration_id={integration_id}",
        f"/integrations/{integration_id}/listings",
        f"/stock/{sku}",
    ]
    found = [ground.caller.get(place).raise_for_status().json() for place in places]
    for by_itself in ("freshness", "incidents", "updated_at", "version"):
        found[0].pop(by_itself, None)
    for renewed in ("access_token", "refresh_token"):
        found[0]["auth"].pop(renewed)
    return json.dumps(found)


def is_quiet(ground: Runtime) -> bool:
    """Whether the stock that was put at the start has arrived."""
    level = ground.caller.get(f"/stock/{ground.ids['sku']}").raise_for_status().json()
    return all(listing["state"] == "confirmed" for listing in level["listings"])


@pytest.mark.parametrize(
    ("path", "method", "operation"), OPERATIONS, ids=[operation["operationId"] for *_, operation in OPERATIONS]
)
def test_an_example_succeeds_as_it_stands_and_changes_nothing(ground: Runtime, path, method, operation):
    wait_until(lambda: is_quiet(ground), "the seeded stock never arrived", pause_s=0.1)
    before = what_matters(ground)
    answer = sent(ground, path, method, operation, ground.ids["integration_id"])
    status, _ = NOT_200.get(operation["operationId"], (None, ""))
    assert answer.status_code == status if status else answer.is_success, answer.text
    assert what_matters(ground) == before
