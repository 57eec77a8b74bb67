"""Example values of what is asked when somebody asks where an order is."""

from channel_sync.api.contract.example_values import KEY, NEXT, ORDER

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
