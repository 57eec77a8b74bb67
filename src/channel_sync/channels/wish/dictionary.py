"""What Wish's orders look like, so that they can be stored small: names of members, and common values."""

from typing import Final

from channel_sync.domain.reply_dictionary import ReplyDictionary


def _prices(*names: str) -> bytes:
    return b",".join([b'"%b":{"amount":10.0,"currency_code":"USD"}' % name.encode() for name in names])


def _address(name: str) -> bytes:
    members = (
        b'"street_address1":"1 Street","street_address2":"","street_address3":"","city":"","state":"",'
        b'"zipcode":"10001","country":"United States","country_code":"US"'
    )
    return b'"%b":{%b' % (name.encode(), members)


_ORDERS: Final = b"".join(
    (
        b'{"name":"","street_1":"1 Street","street_2":null,"street_3":null,"city":"","region":"","postcode":"",',
        b'"country_code":"US","phone":"+1 5550"}',
        b'{"id":"","transaction_id":"","state":"APPROVED","released_at":"2026-01-01T00:00:00.000Z",',
        b'"updated_at":"2026-01-01T00:00:00.000Z","product_information":{"id":"","variation_id":"","sku":"",',
        b'"name":"","size":"","color":"","variation_image_url":"https://","manufactured_country":"CN"},',
        b'"order_payment":{"general_payment_details":{"product_quantity":1,',
        _prices(
            "payment_total",
            "product_price",
            "original_product_price",
            "discounted_price",
            "original_discounted_price",
            "product_merchant_payment",
            "product_shipping_price",
            "shipping_merchant_payment",
        ),
        b',"customer_paid_prices_detail":{',
        _prices("total", "product_price", "product_price_total", "shipping_price", "shipping_price_total"),
        b'}},"rev_share":{',
        _prices("merchant_commission_fees"),
        b',"rev_share":0.15,"destination_region":"NORTH_AMERICA","source_region":"NORTH_AMERICA",',
        b'"entity_region":"EUROPEAN_UNION","product_category":"HOUSEHOLD","shipping_type":"WISH_EXPRESS"},',
        b'"carrier_subsidies":[],"shipping_reimbursements":[{"status":"PENDING",',
        _prices("amount"),
        b'}]},"full_address":{',
        _address("shipping_detail"),
        b',"name":"","phone_number":{"number":"5550","country_code":"1"},"region":"","neighborhood":""}},',
        b'"warehouse_information":{"warehouse_id":"","warehouse_name":"STANDARD","warehouse_type":"PRIMARY"},',
        b'"fulfillment_requirements":{"expected_ship_time":"2026-01-01T00:00:00.000Z",',
        b'"expected_delivery_time":"2026-01-01T00:00:00.000Z"},',
        b'"fulfillment_order_types":["CONFIRMED_DELIVERY_POLICY"],"tracking_information":[{"tracking_number":"",',
        b'"shipping_provider":{"name":""},"origin_country":"CN","ship_note":""}],"fulfillment_records":[',
        b'{"event_type":"ORDER_RELEASED","event_time":"2026-01-01T00:00:00.000Z"},',
        b'{"event_type":"MARK_SHIPPED","event_time":"2026-01-01T00:00:00.000Z"},',
        b'{"event_type":"CONFIRM_FULFILLED","event_time":"2026-01-01T00:00:00.000Z"},',
        b'{"event_type":"CONFIRMED_DELIVERED","event_time":"2026-01-01T00:00:00.000Z"}],',
        b'"refunds":[{"refund_time":"2026-01-01T00:00:00.000Z","refund_source":"CUSTOMER","refund_reason":"",',
        b'"refund_reason_note":"",',
        _prices("refund_amount", "merchant_responsible_amount"),
        b'}],"penalties":[],"tax_information":{"transaction_tax":[{"tax_type":"TRANSACTION_TAX",',
        b'"remit_type":"WISH_REMIT",',
        _prices("tax_amount_in_merchant_currency", "tax_amount_in_authority_currency"),
        b'}],"customer_identity_number_type":"CPF","customer_identity_number":"","vat_information":{',
        b'"country_code":"US","vat_instructions":"https://","additional_materials":[],"vat_amount":{',
        _prices("shipping_level_vat", "product_level_vat", "final_vat"),
        b'},"required_vat_numbers":{"vat":{"number":"","name":"","entity":"WISH"},"voec":{"number":"",',
        b'"entity":"WISH"},"eori":{"number":"","entity":"MERCHANT"}},"eu_vat_customs_declaration":{',
        b'"merchant_name":"","merchant_identity":"COMPANY",',
        _address("merchant_address"),
        b'},"customer_name":"","customer_identity":"INDIVIDUAL",',
        _address("customer_address"),
        b'},"platform_status":"RESELLER","vat_payer":{"name":"Wish","ioss_number":"IM","tax_number":"",',
        _address("address"),
        b'}},"product":{"name":"","image_url":"https://","hs_code":"","condition":"NEW","quantity":1,',
        b'"weight":{"unit":"KG","value":0.1}},',
        _prices(
            "invoice_amount_in_customer_currency",
            "invoice_amount_in_authority_currency",
            "shipping_cost_in_customer_currency",
            "shipping_cost_in_authority_currency",
            "vat_paid_in_customer_currency",
            "vat_paid_in_authority_currency",
        ),
        b'}}},"special_programs":[],"total_frs_quantity":0,"processing_source":"","processing_status":""}',
    )
)

# There was no other yet when it was made, so that nothing says of its frames that they are its own.
DICTIONARY: Final = ReplyDictionary(_ORDERS, is_marked=False)
