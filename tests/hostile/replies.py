"""Good replies of every operation of Wish that the service calls, as full as they come."""

from typing import Any

from tests.channels.factories import a_product, a_variation, an_order, money

JOB = {"id": "job1", "status": "READY", "file_urls": ["https://wish.test/files/1"], "total_count": 2}
QUEUED = {"id": "job1", "status": "PENDING", "file_urls": None}
TOKENS = {
    "access_token": "access-token-0001",
    "refresh_token": "refresh-token-0001",
    "expiry_time": "2026-12-20T12:00:00.661+00:00",
    "merchant_id": "m1",
    "scopes": ["orders:read", "products:read"],
}
MERCHANT = {"merchant_id": "m1"}
ACCOUNT = {"display_name": "Mugs", "revenue_type": "REV_SHARE"}
WAREHOUSES = [{"id": "w1", "name": "STANDARD", "shipping_type": "PRIMARY"}, {"id": "w2"}]
REASONS = ["UNABLE_TO_SHIP", "MERCHANT_OUT_OF_STOCK"]
CARRIERS = [{"name": "Royal Mail"}, {"name": "UPS"}]
CHANGED = {"id": "p1", "updated_at": "2026-11-20T10:00:00.000Z", "name": "Mug"}
RESULT = {"product_id": "p1", "code": 90001, "message": "no", "error": None, "errors": [], "data": {"id": "p1"}}


def order(number: int = 1, at: str = "2026-11-20T10:00:00.000Z") -> dict[str, Any]:
    """An order with everything that an order may have."""
    full = an_order(number, at)
    details = full["order_payment"]["general_payment_details"]
    details["customer_paid_prices_detail"] = {"total": money(30)}
    return full | {
        "tracking_information": [
            {"tracking_number": "AB1", "shipping_provider": {"name": "USPS"}, "origin_country": "US"}
        ],
        "refunds": [{"refund_time": at, "refund_source": "WISH", "refund_reason": "x", "refund_amount": money(1)}],
        "tax_information": {"vat": {"amount": 1.5, "currency_code": "USD"}, "numbers": ["IM1"]},
    }


def changing(what: str) -> dict[str, Any]:
    """An order that a change was asked for."""
    return order() | {"processing_source": what, "processing_status": "IN_PROGRESS"}


def product(id: str = "p1", variation: str = "v1") -> dict[str, Any]:
    """A product with everything that we read of one."""
    sold = a_variation(variation, image="https://i/1", request_id="")
    return a_product(id, sold, status="APPROVED", request_id="")
