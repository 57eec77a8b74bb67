"""Example values of what is asked when somebody asks where an order is."""

from channel_sync.api.contract.example_values import KEY, NEXT, ORDER, ORDER_ID

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
