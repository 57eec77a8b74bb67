"""Example values of what a marketplace is told of orders."""

ALIAS = {"alias": "Royal Mail 48", "carrier": "Royal Mail"}
PARCEL = {"carrier": "UPS", "tracking_number": "1Z999AA10123456784", "origin_country": "US"}
DISPATCH = {
    "state": "accepted",
    "code": None,
    "reason": None,
    "parcels": [
        {
            **PARCEL,
            "state": "accepted",
            "code": None,
            "reason": None,
            "requested_at": "2026-11-24T09:00:00.000Z",
            "settled_at": "2026-11-24T09:00:06.120Z",
        }
    ],
}
REFUND = {
    "reason": "MERCHANT_OUT_OF_STOCK",
    "state": "accepted",
    "code": None,
    "detail": None,
    "requested_at": "2026-11-24T09:00:00.000Z",
    "settled_at": "2026-11-24T09:00:06.120Z",
}
