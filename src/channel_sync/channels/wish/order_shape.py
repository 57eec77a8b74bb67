"""The members of Wish's order that we read, and how far we trust them.

What we do not name may be anything. What we name may be absent or null, apart from the few members without which
nobody could ship the order. Where a member stands and does not fit, one that decides holds the order; any other is
left out and noted: an address that cannot be read must not look like an order without one.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from msgspec import Raw, Struct

from channel_sync.channels.wish.caps import Few, Id, Line, Quantity, Reference, Sku, Title, Word
from channel_sync.channels.wish.lenient import DECIDES


class WishMoney(Struct, gc=False):
    """An amount in major units, exact: msgspec reads the number's text into the Decimal."""

    amount: Decimal
    currency_code: Annotated[Word | None, DECIDES] = None


class WishProduct(Struct, gc=False):
    """The one variation that an order is about."""

    id: Annotated[Reference | None, DECIDES] = None
    variation_id: Annotated[Reference | None, DECIDES] = None
    sku: Annotated[Sku | None, DECIDES] = None
    name: Title | None = None
    size: Line | None = None
    color: Line | None = None


class WishPaidPrices(Struct, gc=False):
    """What the customer paid, where Wish may say."""

    total: WishMoney | None = None


class WishPaymentDetails(Struct, gc=False):
    """Quantity and prices; `product_price` and `product_shipping_price` are per unit (v3 document, July 2026)."""

    product_quantity: Quantity
    payment_total: WishMoney | None = None
    product_price: WishMoney | None = None
    product_shipping_price: WishMoney | None = None
    customer_paid_prices_detail: WishPaidPrices | None = None


class WishPayment(Struct, gc=False):
    """The envelope round the payment details."""

    general_payment_details: WishPaymentDetails


class WishPhone(Struct, gc=False):
    """A phone number in two parts."""

    number: Line | None = None
    country_code: Line | None = None


class WishDestination(Struct, gc=False):
    """Where the parcel goes. `region` is filled in Chile, `neighborhood` in Brazil and Spain."""

    name: Line | None = None
    street_address1: Line | None = None
    street_address2: Line | None = None
    street_address3: Line | None = None
    city: Line | None = None
    state: Line | None = None
    region: Line | None = None
    neighborhood: Line | None = None
    zipcode: Line | None = None
    country_code: Line | None = None
    phone_number: WishPhone | None = None


class WishFullAddress(Struct, gc=False):
    """The envelope round the destination."""

    shipping_detail: WishDestination | None = None


class WishRequirements(Struct, gc=False):
    """Until when to ship; later Wish refunds the order by itself."""

    expected_ship_time: datetime | None = None


class WishCarrier(Struct, gc=False):
    """A carrier's name."""

    name: Line | None = None


class WishTracking(Struct, gc=False):
    """One parcel."""

    tracking_number: Line | None = None
    shipping_provider: WishCarrier | None = None
    origin_country: Line | None = None


class WishRefund(Struct, gc=False):
    """One refund."""

    refund_time: datetime | None = None
    refund_source: Line | None = None
    refund_reason: Line | None = None
    refund_amount: WishMoney | None = None


class WishOrder(Struct, gc=False):
    """An order as far as we look into it."""

    id: Id
    updated_at: datetime
    product_information: WishProduct
    order_payment: WishPayment
    transaction_id: Reference | None = None
    state: Annotated[Word | None, DECIDES] = None
    released_at: datetime | None = None
    full_address: WishFullAddress | None = None
    fulfillment_requirements: WishRequirements | None = None
    fulfillment_order_types: Annotated[list[Word | None], Few] | None = None
    tracking_information: Annotated[list[WishTracking | None], Few] | None = None
    refunds: Annotated[list[WishRefund | None], Few] | None = None
    processing_source: Word | None = None
    processing_status: Word | None = None
    tax_information: Raw = Raw()
