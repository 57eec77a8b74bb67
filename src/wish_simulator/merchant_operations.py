"""The merchant and currency operations of the merchant API."""

from wish_simulator.bodies import (
    ChangedWarehouse,
    NewWarehouse,
    ShippingSetting,
    WarehouseAddress,
    as_document,
    read,
)
from wish_simulator.calls import Answer, Call, Operation, answered
from wish_simulator.documents import to_bytes
from wish_simulator.refusals import Refusal, UnknownId
from wish_simulator.shop import Warehouse

DUPLICATE_NAME = 10001
COUNTRY_OFF = 10004
FIELDS_MISSING = 10011
COUNTRY_TWICE = 10008
COUNTRY_INVALID = 10009
CURRENCIES = {
    "AUD": "Australian Dollar",
    "CAD": "Canadian Dollar",
    "CNY": "Chinese Yuan",
    "EUR": "Euro",
    "GBP": "British Pound",
    "JPY": "Japanese Yen",
    "USD": "US Dollar",
}


def account_details(call: Call) -> Answer:
    merchant = call.shop.merchant
    details = {
        "status": "INACTIVE" if merchant.is_disabled else "ACTIVE",
        "revenue_type": merchant.revenue_type,
        "display_name": merchant.display_name,
        "product_boost_status": "NOT_ENROLLED",
    }
    return answered(call, details)


def settings(call: Call) -> Answer:
    review = "ENABLED" if call.market.switches.listing_review else "DISABLED"
    switches = {
        "unification_initiative": {"status": "DISABLED"},
        "fashion_experience": {"status": "DISABLED"},
        "automated_listing_review_experience": {"status": review},
    }
    return answered(call, switches)


def currency_settings(call: Call) -> Answer:
    currency = call.shop.merchant.currency
    return answered(call, {"localized_currency": currency, "product_boost_currency": currency})


def list_shipping(call: Call) -> Answer:
    return answered(call, _shipping(call))


def update_shipping(call: Call) -> Answer:
    """A body of `null` switches every country off."""
    if call.body.strip() == b"null":
        call.shop.shipping = dict.fromkeys(call.shop.shipping, False)
        return to_bytes(_shipping(call))
    sent = read(call.body, list[ShippingSetting])
    codes = [setting.country_code for setting in sent]
    if not sent or not set(codes) <= call.shop.shipping.keys():
        raise Refusal(COUNTRY_INVALID, "invalid country")
    if len(set(codes)) != len(codes):
        raise Refusal(COUNTRY_TWICE, "a country is listed twice")
    call.shop.shipping.update((setting.country_code, setting.enabled) for setting in sent)
    return to_bytes(_shipping(call))


def _shipping(call: Call) -> list[dict[str, object]]:
    return [{"country_code": code, "enabled": is_on} for code, is_on in call.shop.shipping.items()]


def list_warehouses(call: Call) -> Answer:
    return answered(call, [warehouse.document() for warehouse in call.shop.warehouses])


def create_warehouse(call: Call) -> Answer:
    body = read(call.body, NewWarehouse)
    if any(warehouse.name == body.name for warehouse in call.shop.warehouses):
        raise Refusal(DUPLICATE_NAME, "a warehouse of this name exists")
    if any(not call.shop.shipping.get(country) for country in body.destination_countries):
        raise Refusal(COUNTRY_OFF, "shipping to one of the countries is off")
    warehouse = Warehouse(body.name, as_document(body.address), body.destination_countries)
    call.shop.warehouses.append(warehouse)
    return to_bytes(warehouse.document())


def update_warehouse(call: Call) -> Answer:
    warehouse = call.shop.warehouse(call.id_of("warehouse"))
    if warehouse is None:
        raise UnknownId("warehouse")
    address = read(call.body, ChangedWarehouse).address
    if not isinstance(address, WarehouseAddress):
        raise Refusal(FIELDS_MISSING, "address is missing")
    warehouse.address = as_document(address)
    return to_bytes(warehouse.document())


def currencies(call: Call) -> Answer:
    return answered(call, [{"code": code, "name": name} for code, name in CURRENCIES.items()])


OPERATIONS = (
    Operation("GET", "/api/v3/merchant/account_details", account_details, "merchant:read"),
    Operation("GET", "/api/v3/merchant/settings", settings, "merchant:read"),
    Operation("GET", "/api/v3/merchant/currency_settings", currency_settings, "merchant:read"),
    Operation("GET", "/api/v3/merchant/shipping_settings", list_shipping, "merchant:read"),
    Operation("PUT", "/api/v3/merchant/shipping_settings", update_shipping, "merchant:write"),
    Operation("GET", "/api/v3/merchant/warehouses", list_warehouses, "merchant:read"),
    Operation("POST", "/api/v3/merchant/warehouses", create_warehouse, "merchant:write"),
    Operation("PUT", "/api/v3/merchant/warehouses/{id}", update_warehouse, "merchant:write"),
    Operation("GET", "/api/v3/currencies", currencies),
)
