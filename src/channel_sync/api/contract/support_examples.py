"""Example values of what is asked when somebody asks where an order is."""

from channel_sync.api.contract.example_values import INTEGRATION, KEY, NEXT, ORDER, ORDER_ID, RUN
from channel_sync.api.contract.words import API_VERSION

TIMELINE = {
    "items": [
        {
            "version": 1,
            "state": "approved",
            "state_raw": "APPROVED",
            "channel_updated_at": "2026-11-23T10:14:30.000Z",
            "stored_at": "2026-11-23T10:15:00.000Z",
            "acknowledged_at": "2026-11-23T10:16:00.000Z",
            "acknowledged_by": KEY["id"],
        },
        {
            "version": 2,
            "state": ORDER["state"],
            "state_raw": ORDER["state_raw"],
            "channel_updated_at": ORDER["channel_updated_at"],
            "stored_at": ORDER["stored_at"],
            "acknowledged_at": None,
            "acknowledged_by": None,
        },
    ],
    "erased_at": None,
    "next_cursor": NEXT,
}

ORDER_EXPLANATION = {
    "verdict": "stored",
    "sentence": f"Stored as {ORDER_ID} at 2026-11-23T10:20:00.000Z, delivered to Warehouse at "
    "2026-11-23T10:21:00.000Z.",
    "evidence": [
        {
            "finding": "stored",
            "text": "Version 2 in state approved, changed at the marketplace at 2026-11-23T10:19:30.000Z.",
            "at": "2026-11-23T10:20:00.000Z",
            "id": ORDER_ID,
        },
        {
            "finding": "acknowledged",
            "text": "Version 2 was acknowledged.",
            "at": "2026-11-23T10:21:00.000Z",
            "id": KEY["id"],
        },
        {
            "finding": "at_channel",
            "text": "Wish has it, changed last at this moment.",
            "at": "2026-11-23T10:19:30.000Z",
            "id": None,
        },
    ],
    "advice": None,
    "next_action": None,
    "backfill_from": None,
}

_RUN_FACTS = (
    *("id", "kind", "trigger", "status", "outcome", "counts", "missing_found", "error", "dry_run", "repeats"),
    *("created_at", "started_at", "finished_at"),
)
_OF_INTEGRATION = (
    *("id", "environment", "status", "status_reason", "status_since", "enabled", "last_authorisation"),
    *("default_currency", "settings", "freshness", "counts", "incidents", "next_action"),
    *("created_at", "updated_at", "version"),
)

DIAGNOSTICS = {
    **{name: INTEGRATION[name] for name in _OF_INTEGRATION},
    "generated_at": "2026-11-23T10:21:00.000Z",
    "contract_version": API_VERSION,
    "channel": "wish",
    "auth_state": "connected",
    "authorise_by": None,
    "access_token_expires_at": "2026-12-23T10:15:00.000Z",
    "merchant_id": "5f0e1d2c3b4a59687786f5e4",
    "scopes": ["orders:read"],
    "jobs": [
        {
            "kind": "orders",
            "next_at": "2026-11-23T10:21:00.000Z",
            "last_attempt_at": "2026-11-23T10:20:00.000Z",
            "last_success_at": "2026-11-23T10:20:00.000Z",
            "seen_until": "2026-11-23T10:19:59.300Z",
            "failures": 0,
            "last_error_code": None,
        }
    ],
    "runs": [{name: RUN[name] for name in _RUN_FACTS}],
    "failures": [],
    "calls": [
        {
            "at": "2026-11-23T10:19:59.300Z",
            "method": "GET",
            "path": "/api/v3/orders",
            "status": 200,
            "code": 0,
            "duration_ms": 161,
            "channel_request_id": "c1f8a2",
            "run_id": RUN["id"],
        }
    ],
}

DISCLOSURE = {
    "orders": [{"order": ORDER, "reply": '{"id": "6560f1e2d3c4b5a697887960", "state": "APPROVED"}'}],
    "held_orders": [],
}
RETENTION = {
    "order_retention_d": 90,
    "own": False,
    "erased_until": "2026-08-25T12:00:00.000Z",
    "orders_erased": 4120,
    "held_orders_erased": 3,
}
