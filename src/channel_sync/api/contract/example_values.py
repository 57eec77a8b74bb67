"""The things that the examples of the contract are about."""

from typing import Any

INTEGRATION_ID = "int_01kaqy3v8ke6hbm0s1t2w3x4y5"
RUN_ID = "run_01kaqy4c2me8wbg7r9s0t1v2x3"
ORDER_ID = "ord_01kaqy52h6e7ksv4c5d6f7g8h9"
LISTING_ID = "lst_01kaqy5n9deb1rt2y3z4a5b6c7"
WAREHOUSE_ID = "5f0e1d2c3b4a59687786cccc"
NEXT = "eyJleGFtcGxlIjoxfQ"

_SETTINGS = {
    "orders": {"enabled": True, "interval_s": 60},
    "stock": {
        "enabled": True,
        "interval_s": 5,
        "buffer": 2,
        "maximum": None,
        "percent": 100,
        "end_when": 0,
        "brake_percent": 50,
        "drift": "report",
        "warehouse_id": WAREHOUSE_ID,
        "warehouses": {},
    },
}
_AUTH = {
    "state": "connected",
    "authorise_by": None,
    "merchant_id": "5f0e1d2c3b4a59687786f5e4",
    "shop_name": "Blue Mug Company",
    "scopes": ["merchant:read", "orders:read", "products:read", "products:write"],
    "access_token": {"set": True, "last4": "9f3c", "expires_at": "2026-12-23T10:15:00.000Z"},
    "refresh_token": {"set": True, "last4": "77ab"},
    "platform_app": False,
    "client_id": "65a1b2c3d4e5f60718293a4b",
    "client_secret": {"set": True, "last4": "c0de", "updated_at": "2026-11-23T10:14:02.000Z"},
}
NOT_CONNECTED = {
    **_AUTH,
    "state": "pending",
    "merchant_id": None,
    "shop_name": None,
    "scopes": [],
    "access_token": {"set": False, "last4": None, "expires_at": None},
    "refresh_token": {"set": False, "last4": None},
}
COUNTS = {"rejected": 0, "drifted": 0, "skipped": 0, "ambiguous": 0, "unmapped": 0, "gone": 0, "held": 0}
INTEGRATION: dict[str, Any] = {
    "id": INTEGRATION_ID,
    "channel": {"type": "wish", "name": "Wish", "logo_url": "https://sync.example.com/channels/wish/logo.svg"},
    "name": "Blue mugs, Europe",
    "environment": "production",
    "status": "active",
    "status_reason": None,
    "status_since": "2026-11-23T10:16:40.000Z",
    "next_action": None,
    "enabled": True,
    "auth": _AUTH,
    "last_authorisation": {"at": "2026-11-23T10:16:32.000Z", "result": "connected", "error": None},
    "default_currency": "EUR",
    "settings": _SETTINGS,
    "wish_webhook": {"url": None, "state": "off"},
    "freshness": {
        "last_order_sync_at": "2026-11-23T10:20:00.000Z",
        "next_order_sync_at": "2026-11-23T10:21:00.000Z",
        "order_lag_s": 12,
        "last_stock_push_at": "2026-11-23T10:19:58.000Z",
        "stock_pending": 0,
        "stock_lag_s": 0,
    },
    "counts": COUNTS,
    "incidents": [],
    "draft_expires_at": None,
    "created_at": "2026-11-23T10:14:02.000Z",
    "updated_at": "2026-11-23T10:16:40.000Z",
    "version": 4,
}
INVITATION = {
    "authorise_url": "https://sync.example.com/wish/authorise?ticket=example",
    "expires_at": "2026-11-23T10:24:02.000Z",
}
DRAFT = {
    **INTEGRATION,
    **INVITATION,
    "status": "draft",
    "next_action": {"method": "POST", "href": f"/integrations/{INTEGRATION_ID}/reauthorise"},
    "auth": NOT_CONNECTED,
    "last_authorisation": None,
    "default_currency": None,
    "draft_expires_at": "2026-11-23T11:14:02.000Z",
    "version": 1,
}
_JOB = {
    "enabled": True,
    "last_success_at": "2026-11-23T10:20:00.000Z",
    "last_attempt_at": "2026-11-23T10:20:00.000Z",
    "next_at": "2026-11-23T10:21:00.000Z",
    "lag_s": 12,
    "backlog": None,
    "failures": 0,
    "last_error_code": None,
}
STATUS = {
    "id": INTEGRATION_ID,
    "enabled": True,
    "status": "active",
    "status_reason": None,
    "status_since": "2026-11-23T10:16:40.000Z",
    "auth": _AUTH,
    "jobs": {"orders": _JOB, "stock": {**_JOB, "lag_s": 0, "backlog": 0}},
    "counts": COUNTS,
    "incidents": [],
    "next_action": None,
    "version": 4,
}
RUN = {
    "id": RUN_ID,
    "integration_id": INTEGRATION_ID,
    "kind": "orders",
    "trigger": "manual",
    "status": "finished",
    "outcome": "success",
    "counts": {"seen": 3, "created": 2, "updated": 1, "unchanged": 0, "held": 0, "ignored": 0, "failed": 0},
    "missing_found": None,
    "error": None,
    "window_from": None,
    "window_to": None,
    "walked_to": None,
    "estimate": None,
    "dry_run": False,
    "rules": None,
    "cancel_requested": False,
    "repeats": 0,
    "created_at": "2026-11-23T10:19:59.000Z",
    "started_at": "2026-11-23T10:19:59.200Z",
    "finished_at": "2026-11-23T10:20:00.000Z",
}
QUEUED = {**RUN, "status": "queued", "outcome": None, "started_at": None, "finished_at": None}
ORDER = {
    "id": ORDER_ID,
    "integration_id": INTEGRATION_ID,
    "channel_order_id": "6560f1e2d3c4b5a697887960",
    "transaction_id": "6560f1e2d3c4b5a697887961",
    "state": "approved",
    "state_raw": "APPROVED",
    "released_at": "2026-11-23T10:18:30.000Z",
    "ship_by": "2026-11-28T10:18:30.000Z",
    "currency": "EUR",
    "currency_defaulted": False,
    "lines": [
        {
            "sku": "MUG-BLUE",
            "mapped_sku": None,
            "listing_id": LISTING_ID,
            "channel_listing_id": "64aa00000000000000000001",
            "title": "Mug, blue",
            "options": {"colour": "blue"},
            "quantity": 2,
            "unit_price": {"amount": "7.50", "currency": "EUR"},
            "shipping_price": {"amount": "2.10", "currency": "EUR"},
        }
    ],
    "totals": {
        "customer_paid": {"amount": "19.20", "currency": "EUR"},
        "merchant_revenue": {"amount": "16.32", "currency": "EUR"},
    },
    "fulfilment": {"by": "merchant", "tracking": []},
    "refunds": [],
    "dispatch": None,
    "refund_request": None,
    "acknowledged_at": None,
    "acknowledged_version": None,
    "channel_updated_at": "2026-11-23T10:18:31.120Z",
    "stored_at": "2026-11-23T10:20:00.000Z",
    "sanitised": False,
    "notes": [],
    "erased": False,
    "version": 1,
}
HELD = {
    "id": "hld_01kaqy6p3ge5fam8n9p0q1r2s3",
    "integration_id": INTEGRATION_ID,
    "channel_order_id": "6560f1e2d3c4b5a697887999",
    "reason": "wrong_type",
    "pointer": "/product_information/quantity",
    "channel_request_id": "c1f8a2",
    "held_at": "2026-11-23T10:20:00.000Z",
    "attempts": 1,
    "erased": False,
}
NO_RULES = {"buffer": None, "percent": None, "end_when": None, "maximum": None}
UNIT_CHANGE = {"listing_id": LISTING_ID, "integration_id": INTEGRATION_ID, "before": 10, "quantity": 5}
_LISTING_STOCK = {
    "listing_id": LISTING_ID,
    "integration_id": INTEGRATION_ID,
    "state": "confirmed",
    "code": None,
    "reason": None,
    "quantity": 10,
    "warehouse_id": WAREHOUSE_ID,
    "sent_at": "2026-11-23T10:19:57.000Z",
    "settled_at": "2026-11-23T10:19:58.000Z",
    "at_channel": {"quantity": 10, "seen_at": "2026-11-23T10:19:58.000Z"},
    "reckoning": {
        "available": 12,
        "reserved": 0,
        "buffer": 2,
        "percent": 100,
        "end_when": 0,
        "maximum": None,
        "quantity": 10,
        "text": "12 available, less a buffer of 2: 10",
    },
}
LEVEL = {
    "sku": "MUG-BLUE",
    "available": 12,
    "reserved": 0,
    "version": 3,
    "revision": 1042,
    "updated_at": "2026-11-23T10:19:55.000Z",
    "warehouses": [],
    "rules": NO_RULES,
    "code": None,
    "reason": None,
    "listings": [_LISTING_STOCK],
}
_SENTENCE = (
    "available 12 \N{MINUS SIGN} buffer 2 → sent 10 at 2026-11-23T10:19:57Z, confirmed 1.0 s later, "
    "at Wish now 10, seen at 2026-11-23T10:21:00Z"
)
BRAKE = {
    "on": True,
    "since": "2026-11-23T10:19:57.000Z",
    "emptied": 640,
    "listings": 812,
    "percent": 50,
    "released_at": None,
}
EXPLANATION = {
    "sku": "MUG-BLUE",
    "integration_id": INTEGRATION_ID,
    "available": 12,
    "reserved": 0,
    "version": 3,
    "updated_at": "2026-11-23T10:19:55.000Z",
    "rules": NO_RULES,
    "code": None,
    "sentence": _SENTENCE,
    "listings": [
        {
            **_LISTING_STOCK,
            "at_channel": {"quantity": 10, "seen_at": "2026-11-23T10:21:00.000Z"},
            "rules": NO_RULES,
            "asked_now": True,
            "sentence": _SENTENCE,
        }
    ],
}
LISTING = {
    "id": LISTING_ID,
    "integration_id": INTEGRATION_ID,
    "product_id": "5f0e1d2c3b4a59687786aaaa",
    "variation_id": "5f0e1d2c3b4a59687786aaab",
    "sku": "MUG-BLUE",
    "mapped_sku": None,
    "title": "Mug, blue",
    "image_url": "https://images.example.com/mug-blue.jpg",
    "writable": True,
    "mapping": "mapped",
    "rules": NO_RULES,
    "excluded": False,
    "rejection": None,
    "warehouses": [{"warehouse_id": WAREHOUSE_ID, "quantity": 10}],
    "seen_at": "2026-11-23T10:19:58.000Z",
}
EVENT = {
    "id": "evt_01kaqy7d4je3xba1b2c3d4e5f6",
    "type": "order.created",
    "integration_id": INTEGRATION_ID,
    "created_at": "2026-11-23T10:20:00.000Z",
    "data": {"order_id": ORDER_ID, "state": "approved", "version": 1},
}
KEY = {
    "id": "key_01kaqy8m5ke2zcd7e8f9g0h1j2",
    "name": "Warehouse",
    "scopes": ["stock:read", "stock:write"],
    "last4": "x7Qa",
    "created_at": "2026-11-23T10:00:00.000Z",
    "revoked_at": None,
    "order_filter": {"state": "approved", "fulfilment": "merchant"},
}
