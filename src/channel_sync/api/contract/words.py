"""What the contract says about things that no schema of ours stands for."""

from typing import Any

from channel_sync.domain.codes import CALLBACK_ERRORS

API_VERSION = "1.0.0"

LICENCE = {"name": "Apache License 2.0", "identifier": "Apache-2.0"}

TAGS = [
    {"name": "channels", "description": "The marketplaces, and how a seller sets them up."},
    {
        "name": "integrations",
        "description": "Connections to seller accounts: add, change, switch and remove them.",
    },
    {"name": "connecting", "description": "The pages that a seller's browser sees on its way to the marketplace."},
    {"name": "runs", "description": "Pieces of work: what the jobs did, and what a person asks for."},
    {"name": "orders", "description": "Orders as a feed, and those that could not be used."},
    {"name": "stock", "description": "Levels by SKU, and the listings that they feed."},
    {"name": "events", "description": "What happened, in the order in which it was stored."},
    {"name": "api keys", "description": "Credentials of this API."},
    {"name": "health", "description": "Whether the process lives, and whether it may be sent requests."},
]

PATH_PARAMETERS = {
    "channel_order_id": "The marketplace's id of an order.",
    "channel_type": "The `type` of one of `GET /channels`.",
    "held_id": "The id of a held order, `hld_…`.",
    "integration_id": "The id of an integration, `int_…`.",
    "key_id": "The id of an API key, `key_…`; not the key itself.",
    "listing_id": "The id of a listing, `lst_…`.",
    "order_id": "Our id of an order, `ord_…`.",
    "run_id": "The id of a run, `run_…`.",
    "sku": "The SKU as it was put; slashes in it may stay as they are.",
}


def _query(name: str, description: str, schema: dict[str, Any], required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "description": description, "schema": schema}


# Not a call of ours: the browser that was sent to the marketplace is sent back to whoever began.
RETURNING: dict[str, Any] = {
    "callbacks": {
        "returned": {
            "{$request.body#/return_url}": {
                "get": {
                    "summary": "The seller's browser comes back",
                    "description": "A page of yours at `return_url`, whose own query is kept.",
                    "security": [],
                    "parameters": [
                        _query(
                            "integration_id", "Which integration it was about.", {"type": "string"}, required=True
                        ),
                        _query(
                            "result",
                            "How it ended.",
                            {"type": "string", "enum": ["connected", "failed"]},
                            required=True,
                        ),
                        _query(
                            "error",
                            "Why it failed; only there if it did.",
                            {"type": "string", "enum": list(CALLBACK_ERRORS)},
                        ),
                    ],
                    "responses": {"200": {"description": "Whatever your page shows."}},
                }
            }
        }
    }
}
