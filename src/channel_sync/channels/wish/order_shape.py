"""The members of Wish's order that we read, and how far we trust them.

What we do not name may be anything. What we name may be absent or null, apart from the few members without which
nobody could ship the order; but where it stands it must have its type, or the order is held: an address that
cannot be read must not look like an order without one.
"""

from datetime import datetime
from decimal import Decimal

from msgspec import Raw, Struct

Id = str | int
Text = str | int | None


class WishMoney(Struct, gc=False):
    """An amount in major units, exact: msgspec reads the number's text into the Decimal."""

    amount: Decimal
    currency_code: str


class WishProduct(Struct, gc=False):
    """The one variation that an order is about."""

    id: Id | None = None
    variation_id: Id | None = None
    sku: Text = None
    name: Text = None
    size: Text = None
    color: Text = None


class WishPaidPrices(Struct, gc=False):
    """What the customer paid, where Wish may say."""

    total: WishMoney | None = None


class WishPaymentDetails(Struct, gc=False):
    """Quantity and prices; `product_price` and `product_shipping_price` are per unit (wish-v3.md, section 5.6)."""

    product_quantity: int
    payment_total: WishMoney | None = None
    product_price: WishMoney | None = None
    product_shipping_price: WishMoney | None = None
    customer_paid_prices_detail: WishPaidPrices | None = None


class WishPayment(Struct, gc=False):
    """The envelope round the payment details."""

    general_payment_details: WishPaymentDetails


class WishPhone(Struct, gc=False):
    """A phone number in two parts."""

    number: Text = None
    country_code: Text = None


class WishDestination(Struct, gc=False):
    """Where the parcel goes. `region` is filled in Chile, `neighborhood` in Brazil and Spain."""

    name: Text = None
    street_address1: Text = None
    street_address2: Text = None
    street_address3: Text = None
    city: Text = None
    state: Text = None
    region: Text = None
    neighborhood: Text = None
    zipcode: Text = None
    country_code: Text = None
    phone_number: WishPhone | None = None


class WishFullAddress(Struct, gc=False):
    """The envelope round the destination."""

    shipping_detail: WishDestination | None = None


class WishRequirements(Struct, gc=False):
    """Until when to ship; later Wish refunds the order by itself."""

    expected_ship_time: datetime | None = None


class WishCarrier(Struct, gc=False):
    """A carrier's name."""

    name: Text = None


class WishTracking(Struct, gc=False):
    """One parcel."""

    tracking_number: Text = None
    shipping_provider: WishCarrier | None = None
    origin_country: Text = None


class WishRefund(Struct, gc=False):
    """One refund."""

    refund_time: datetime | None = None
    refund_source: Text = None
    refund_reason: Text = None
    refund_amount: WishMoney | None = None


class WishOrder(Struct, gc=False):
    """An order as far as we look into it."""

    id: Id
    updated_at: datetime
    product_information: WishProduct
    order_payment: WishPayment
    transaction_id: Id | None = None
    state: str | None = None
    released_at: datetime | None = None
    full_address: WishFullAddress | None = None
    fulfillment_requirements: WishRequirements | None = None
    fulfillment_order_types: list[str | None] | None = None
    tracking_information: list[WishTracking | None] | None = None
    refunds: list[WishRefund | None] | None = None
    tax_information: Raw = Raw()
