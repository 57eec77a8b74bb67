"""One example per operation for the contract.

Tests hold them against the schemas and send every request as it stands to a running service: whoever tries one out
succeeds, and changes nothing of what was there.
"""

from dataclasses import dataclass
from typing import Any

from channel_sync.api.contract.dispatch_examples import ALIAS, DISPATCH, PARCEL, REFUND
from channel_sync.api.contract.example_values import (
    BRAKE,
    DRAFT,
    EVENT,
    EXPLANATION,
    HELD,
    INTEGRATION,
    INTEGRATION_ID,
    INVITATION,
    KEY,
    LEVEL,
    LISTING,
    LISTING_ID,
    NEXT,
    NO_RULES,
    NOT_CONNECTED,
    ORDER,
    ORDER_ID,
    QUEUED,
    RUN,
    STATUS,
    UNIT_CHANGE,
    WAREHOUSE_ID,
)
from channel_sync.api.contract.support_examples import (
    DIAGNOSTICS,
    DISCLOSURE,
    ORDER_EXPLANATION,
    RETENTION,
    TIMELINE,
)


@dataclass(frozen=True, slots=True)
class Example:
    """A request body, where the operation takes one, and the JSON it answers with, where it does."""

    request: Any = None
    response: Any = None


def _page(item: object) -> dict[str, Any]:
    return {"items": [item], "next_cursor": NEXT}


EXAMPLES = {
    "list_channels": Example(
        response={
            "items": [
                {
                    "type": "wish",
                    "name": "Wish",
                    "logo_url": "https://sync.example.com/channels/wish/logo.svg",
                    "redirect_url": "https://sync.example.com/wish/callback",
                    "credential_fields": [],
                    "currencies": ["EUR", "GBP", "USD"],
                    "setup_steps": ["Open the link that you are given, and allow the app to use your shop."],
                    "own_app": {
                        "credential_fields": ["client_id", "client_secret"],
                        "setup_steps": ["Create a private app and paste the redirect URL."],
                    },
                }
            ],
            "next_cursor": None,
        }
    ),
    "list_carriers": Example(
        response={"items": [{"name": "Royal Mail"}], "next_cursor": None, "read_at": "2026-11-23T10:15:00.000Z"}
    ),
    "list_carrier_aliases": Example(response={"items": [ALIAS], "next_cursor": None}),
    "put_carrier_aliases": Example(request={"items": [ALIAS]}, response={"items": [ALIAS], "next_cursor": None}),
    "create_integration": Example(
        request={
            "channel": "wish",
            "name": "Blue mugs, Europe",
            "client_id": "65a1b2c3d4e5f60718293a4b",
            "client_secret": "the-secret-shown-at-the-marketplace",
        },
        response=DRAFT,
    ),
    "preview_claim": Example(
        request={"claim": "Zb3kq0n4r1cXJ2vW8yT5uL7mP9sD6fGhAeRiOoQxNtE"},
        response={
            "channel": INTEGRATION["channel"],
            "environment": "production",
            "merchant_id": "5f0e1d2c3b4a59687786f5e4",
            "shop_name": "Blue Mug Company",
            "expires_at": "2026-11-23T11:15:00.000Z",
            "error": None,
            "integration_id": None,
        },
    ),
    "list_integrations": Example(response=_page(INTEGRATION)),
    "get_integration": Example(response=INTEGRATION),
    "change_integration": Example(
        request={"settings": {"orders": {"interval_s": None}, "stock": {"percent": 100}}}, response=INTEGRATION
    ),
    "preview_removal": Example(
        response={
            "open_orders": 4,
            "unsent_stock": 0,
            "mapped_listings": 31,
            "kept": ["Orders, listings and mappings are kept and can be restored for 30 days."],
            "lost": ["The credentials are destroyed at once."],
        }
    ),
    "restore_integration": Example(
        response={
            **INTEGRATION,
            "status": "needs_reauth",
            "next_action": {"method": "POST", "href": f"/integrations/{INTEGRATION_ID}/reauthorise"},
            "auth": {**NOT_CONNECTED, "state": "none"},
        }
    ),
    "get_integration_status": Example(response=STATUS),
    "set_integration_status": Example(request={"enabled": True}, response=STATUS),
    "reauthorise_integration": Example(request={}, response=INVITATION),
    "paste_credentials": Example(
        request={
            "client_id": "65a1b2c3d4e5f60718293a4b",
            "client_secret": "the-secret-shown-at-the-marketplace",
            "access_token": "the-access-token-pasted-by-hand",
            "refresh_token": "the-refresh-token-pasted-by-hand",
        },
        response=INTEGRATION,
    ),
    "verify_integration": Example(
        response={
            "ok": True,
            "checks": [{"field": "access_token", "ok": True, "code": None, "message": "Works."}],
            "merchant_id": "5f0e1d2c3b4a59687786f5e4",
            "shop_name": "Blue Mug Company",
            "expires_at": "2026-12-23T10:15:00.000Z",
            "latency_ms": 182,
        }
    ),
    "get_diagnostics": Example(response=DIAGNOSTICS),
    "start_run": Example(request={"kind": "orders"}, response={**QUEUED, "deduplicated": False}),
    "list_runs": Example(response=_page(RUN)),
    "get_run": Example(response=RUN),
    "list_run_changes": Example(
        response=_page({"listing_id": LISTING_ID, "sku": "MUG-BLUE", "before": 10, "quantity": 5})
    ),
    "list_run_calls": Example(
        response=_page(
            {
                "at": "2026-11-23T10:19:59.300Z",
                "method": "GET",
                "path": "/api/v3/orders",
                "status": 200,
                "code": 0,
                "duration_ms": 161,
                "channel_request_id": "c1f8a2",
            }
        )
    ),
    "cancel_run": Example(response={**RUN, "status": "cancelled", "outcome": None, "cancel_requested": True}),
    "list_orders": Example(response=_page(ORDER)),
    "get_order": Example(response=ORDER),
    "get_order_timeline": Example(response=TIMELINE),
    "explain_order": Example(response=ORDER_EXPLANATION),
    "acknowledge_orders": Example(
        request={"orders": [{"id": ORDER_ID, "version": 1}]}, response={"acknowledged": [ORDER_ID], "changed": []}
    ),
    "dispatch_order": Example(request=PARCEL, response=DISPATCH),
    "dispatch_orders": Example(
        request={"items": [{"order_id": ORDER_ID, **PARCEL}]},
        response={
            "items": [
                {
                    "order_id": ORDER_ID,
                    "result": "accepted",
                    "dispatch": DISPATCH,
                    "code": None,
                    "detail": None,
                    "suggestions": [],
                }
            ]
        },
    ),
    "list_refund_reasons": Example(response=_page({"reason": "MERCHANT_OUT_OF_STOCK"}) | {"next_cursor": None}),
    "refund_order": Example(request={"reason": "MERCHANT_OUT_OF_STOCK"}, response=REFUND),
    "erase_orders": Example(
        request={"ids": [ORDER_ID]}, response={"erased": 1, "held_erased": 0, "resume_cursor": None}
    ),
    "get_ship_by_notice": Example(response={"notice_h": 24, "own": False}),
    "put_ship_by_notice": Example(request={"notice_h": None}, response={"notice_h": 24, "own": False}),
    "disclose_orders": Example(request={"ids": [ORDER_ID]}, response=DISCLOSURE),
    "get_retention": Example(response=RETENTION),
    "put_retention": Example(request={"order_retention_d": None}, response=RETENTION),
    "list_held_orders": Example(response=_page(HELD)),
    "replay_held_orders": Example(request={"reason": HELD["reason"]}, response={"queued": 1}),
    "replay_held_order": Example(response={"order": None, "held": {**HELD, "attempts": 2}}),
    "put_stock": Example(
        request={"items": [{"sku": "EXAMPLE-SKU", "available": 12, "revision": 1}]},
        response={"items": [{"sku": "EXAMPLE-SKU", "result": "accepted", "version": 1}]},
    ),
    "push_stock": Example(
        request={"skus": ["EXAMPLE-SKU"]},
        response={"items": [{"sku": "EXAMPLE-SKU", "result": "queued", "listings": 1}]},
    ),
    "list_stock": Example(response=_page(LEVEL)),
    "get_stock": Example(response=LEVEL),
    "get_stock_brake": Example(response=BRAKE),
    "release_stock_brake": Example(
        request={"release": True},
        response={
            **BRAKE,
            **{"on": False, "since": None, "emptied": None, "listings": None},
            "released_at": "2026-11-23T10:31:00.000Z",
        },
    ),
    "count_rejections": Example(response={"items": [{"code": "90001", "listings": 12, "reason": "Too many."}]}),
    "explain_stock": Example(response=EXPLANATION),
    "list_sku_rules": Example(response=_page({"sku": "MUG-BLUE", "rules": {**NO_RULES, "maximum": 5}})),
    "set_sku_rules": Example(
        request={"items": [{"sku": "EXAMPLE-SKU", "maximum": 5}], "dry_run": True},
        response={
            "dry_run": True,
            "items": [{"sku": "EXAMPLE-SKU", "rules": {**NO_RULES, "maximum": 5}, "changes": [UNIT_CHANGE]}],
        },
    ),
    "set_listing_rules": Example(
        request={"maximum": 5, "dry_run": True},
        response={
            "dry_run": True,
            "listing": {**LISTING, "rules": {**NO_RULES, "maximum": 5}},
            "changes": [UNIT_CHANGE],
        },
    ),
    "list_listings": Example(response=_page(LISTING)),
    "get_listing": Example(response=LISTING),
    "list_warehouses": Example(response=_page({"id": WAREHOUSE_ID, "name": "STANDARD", "kind": "standard"})),
    "map_listing": Example(request={"sku": None}, response=LISTING),
    "import_mappings": Example(
        request=f"listing_id,mapped_sku\r\n{LISTING_ID},MUG-BLUE\r\n",
        response={"items": [{"row": 2, "listing_id": LISTING_ID, "result": "mapped", "code": None}]},
    ),
    "list_events": Example(response={"items": [EVENT], "next_cursor": EVENT["id"]}),
    "create_api_key": Example(
        request={"name": "Example", "scopes": ["stock:read"]},
        response={**KEY, "key": "csk_example"},
    ),
    "list_api_keys": Example(response=_page(KEY)),
    "check_liveness": Example(response={"status": "ok"}),
    "check_readiness": Example(response={"status": "ok", "reason": None}),
}
