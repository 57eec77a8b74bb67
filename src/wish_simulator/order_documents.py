"""New orders as Wish would show them, with every member a full order carries (about 2.8 KB)."""

from dataclasses import dataclass

from wish_simulator.catalogue import ProductRow
from wish_simulator.clock import TimeSuffix, written
from wish_simulator.documents import Document
from wish_simulator.ids import object_id

DAY_MS = 24 * 3600 * 1000
CITIES = (
    ("Springfield", "Illinois", "62701", "US", "United States"),
    ("São Paulo", "São Paulo", "01310-100", "BR", "Brazil"),
    ("Toronto", "Ontario", "M5H 2N2", "CA", "Canada"),
    ("Lyon", "Auvergne-Rhône-Alpes", "69001", "FR", "France"),
    ("Leipzig", "Saxony", "04109", "DE", "Germany"),
    ("Leeds", "England", "LS1 1UR", "GB", "United Kingdom"),
)
MERCHANT_ADDRESS = {
    "street_address1": "1 Dock Road",
    "city": "San Francisco",
    "state": "California",
    "zipcode": "94105",
    "country": "United States",
    "country_code": "US",
}


@dataclass(frozen=True)
class Purchase:
    """A customer buys one variation in some quantity. `number` makes orders differ from each other."""

    product: ProductRow
    variation: Document
    warehouse_id: str
    warehouse_name: str
    number: int
    state: str
    at_ms: int
    quantity: int = 1
    transaction_id: str | None = None


def an_order(purchase: Purchase, suffix: TimeSuffix = "Z") -> Document:
    at = written(purchase.at_ms, suffix)
    address = _address(purchase.number)
    order: Document = {
        "id": object_id(),
        "transaction_id": purchase.transaction_id or object_id(),
        "state": purchase.state,
        "released_at": None if purchase.state == "REQUIRE_REVIEW" else at,
        "updated_at": at,
        "product_information": _product(purchase),
        "order_payment": _payment(purchase),
        "full_address": {"shipping_detail": address},
        "warehouse_information": {
            "warehouse_id": purchase.warehouse_id,
            "warehouse_name": purchase.warehouse_name,
            "warehouse_type": "PRIMARY",
        },
        "fulfillment_requirements": {
            "expected_ship_time": written(purchase.at_ms + 5 * DAY_MS, suffix),
            "expected_delivery_time": written(purchase.at_ms + 21 * DAY_MS, suffix),
        },
        "fulfillment_order_types": ["CONFIRMED_DELIVERY_POLICY"] if purchase.number % 7 == 0 else [],
        "tracking_information": [],
        "fulfillment_records": [],
        "refunds": [],
        "penalties": [],
        "tax_information": _tax(purchase, address),
        "special_programs": [],
        "total_frs_quantity": 0,
    }
    _live_through(order, purchase.state, at)
    return order


def _live_through(order: Document, state: str, at: str) -> None:
    """What an order in this state has behind it."""
    if state in ("APPROVED", "SHIPPED", "REFUNDED"):
        order["fulfillment_records"].append({"event_type": "ORDER_RELEASED", "event_time": at})
    if state == "SHIPPED":
        order["fulfillment_records"].append({"event_type": "MARK_SHIPPED", "event_time": at})
        order["tracking_information"].append(
            {
                "tracking_number": f"SIM{order['id'][-10:].upper()}",
                "shipping_provider": {"name": "USPS"},
                "origin_country": "US",
            }
        )
    if state == "REFUNDED":
        order["refunds"].append(a_refund(order, "CUSTOMER", "Customer cancelled", at))


def a_refund(order: Document, source: str, reason: str, at: str) -> Document:
    total = order["order_payment"]["general_payment_details"]["payment_total"]
    return {
        "refund_time": at,
        "refund_source": source,
        "refund_reason": reason,
        "refund_amount": total,
        "merchant_responsible_amount": total,
    }


def _product(purchase: Purchase) -> Document:
    options = {option["name"]: option["value"] for option in purchase.variation.get("options", [])}
    return {
        "id": purchase.product.document["id"],
        "variation_id": purchase.variation["id"],
        "sku": purchase.variation["sku"],
        "name": purchase.product.document["name"],
        "size": options.get("SIZE", ""),
        "color": options.get("COLOR", ""),
        "variation_image_url": purchase.variation.get("image", ""),
        "manufactured_country": "US",
    }


def _payment(purchase: Purchase) -> Document:
    price = purchase.variation.get("price") or purchase.variation["cost"]
    currency = price["currency_code"]
    unit = round(price["amount"] * 100)
    shipping = 299
    revenue_unit = unit * 85 // 100
    total = (revenue_unit + shipping) * purchase.quantity

    def money(cents: int) -> Document:
        return {"amount": cents / 100, "currency_code": currency}

    return {
        "general_payment_details": {
            "product_quantity": purchase.quantity,
            "payment_total": money(total),
            "product_price": money(unit),
            "original_product_price": money(unit),
            "discounted_price": money(unit),
            "original_discounted_price": money(unit),
            "product_merchant_payment": money(revenue_unit),
            "product_shipping_price": money(shipping),
            "shipping_merchant_payment": money(shipping),
        },
        "rev_share": {
            "merchant_commission_fees": money((unit - revenue_unit) * purchase.quantity),
            "rev_share": 0.15,
            "destination_region": "NORTH_AMERICA",
            "source_region": "NORTH_AMERICA",
            "entity_region": "NORTH_AMERICA",
            "product_category": "HOUSEHOLD",
        },
        "carrier_subsidies": [],
        "shipping_reimbursements": [{"status": "PENDING", "amount": money(0)}],
    }


def _address(number: int) -> Document:
    city, state, zipcode, country_code, country = CITIES[number % len(CITIES)]
    return {
        "name": f"Sample Customer {number}",
        "street_address1": f"{number % 900 + 1} Example Street",
        "street_address2": f"Flat {number % 40 + 1}",
        "city": city,
        "state": state,
        "zipcode": zipcode,
        "country": country,
        "country_code": country_code,
        "phone_number": {"number": f"555{number % 10_000_000:07d}", "country_code": "1"},
    }


def _tax(purchase: Purchase, address: Document) -> Document:
    """Everywhere the tax; for Brazil the customer's number; for the EU what customs wants to know."""
    price = purchase.variation.get("price") or purchase.variation["cost"]
    amount = round(price["amount"] * 7) * purchase.quantity / 100
    tax = {"amount": amount, "currency_code": price["currency_code"]}
    country = address["country_code"]
    vat: Document = {
        "country_code": country,
        "vat_instructions": "https://merchant.wish.com/help/vat",
        "required_vat_numbers": {"vat": {"number": "IM0000000000", "name": "Wish", "entity": "WISH"}},
    }
    information: Document = {
        "transaction_tax": [
            {
                "tax_type": "TRANSACTION_TAX",
                "remit_type": "WISH_REMIT",
                "tax_amount_in_merchant_currency": tax,
                "tax_amount_in_authority_currency": tax,
            }
        ],
        "vat_information": vat,
    }
    if country == "BR":
        information["customer_identity_number_type"] = "CPF"
        information["customer_identity_number"] = f"{purchase.number % 10**11:011d}"
    if country in ("FR", "DE"):
        vat["eu_vat_customs_declaration"] = _customs(purchase, address, tax)
    return information


def _customs(purchase: Purchase, address: Document, tax: Document) -> Document:
    customer_address = {name: value for name, value in address.items() if name not in ("name", "phone_number")}
    price = purchase.variation.get("price") or purchase.variation["cost"]
    total = round(price["amount"] * 100) * purchase.quantity / 100
    return {
        "merchant_name": "Demo shop",
        "merchant_identity": "COMPANY",
        "merchant_address": MERCHANT_ADDRESS,
        "customer_name": address["name"],
        "customer_identity": "INDIVIDUAL",
        "customer_address": customer_address,
        "platform_status": "RESELLER",
        "vat_payer": {"name": "Wish", "ioss_number": "IM0000000000"},
        "product": {
            "name": purchase.product.document["name"],
            "hs_code": "392690",
            "condition": "NEW",
            "quantity": purchase.quantity,
            "weight": {"unit": "KG", "value": 0.35},
        },
        "invoice_amount_in_customer_currency": {**tax, "amount": total},
        "vat_paid_in_customer_currency": tax,
    }
