"""Amounts whose currency the marketplace does not name."""

from msgspec.structs import replace

from channel_sync.domain.money import NO_CURRENCY, Money
from channel_sync.domain.orders import ChannelOrder, Flaw, OrderLine, Refund


def lacks_currency(order: ChannelOrder) -> bool:
    """Whether the default currency has to stand in somewhere: for an amount, or for the order as a whole."""
    if order.currency is None:
        return True
    notes = order.content.notes
    return bool(notes) and any(note.code is Flaw.CURRENCY_MISSING for note in notes)


def with_currency(order: ChannelOrder, currency: str) -> ChannelOrder:
    """The order with this currency wherever none is named."""
    content = order.content
    return replace(
        order,
        currency=order.currency or currency,
        merchant_revenue=_named(order.merchant_revenue, currency),
        content=replace(
            content,
            lines=tuple(_line(line, currency) for line in content.lines),
            customer_paid=_named(content.customer_paid, currency),
            refunds=tuple(_refund(refund, currency) for refund in content.refunds),
        ),
    )


def _line(line: OrderLine, currency: str) -> OrderLine:
    unit_price, shipping_price = _named(line.unit_price, currency), _named(line.shipping_price, currency)
    return replace(line, unit_price=unit_price, shipping_price=shipping_price)


def _refund(refund: Refund, currency: str) -> Refund:
    return replace(refund, amount=_named(refund.amount, currency))


def _named(money: Money | None, currency: str) -> Money | None:
    return replace(money, currency=currency) if money is not None and money.currency == NO_CURRENCY else money
