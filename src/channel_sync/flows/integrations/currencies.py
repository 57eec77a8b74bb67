"""Currencies a channel pays in."""

from channel_sync.domain.channel import ChannelDescription
from channel_sync.domain.errors import Invalid


def check_currency(currency: str | None, channel: ChannelDescription) -> None:
    """`Invalid` for a currency the channel does not pay in; nothing given is fine."""
    if currency is not None and currency not in channel.currencies:
        raise Invalid(
            "currency_not_offered", f"{channel.name} does not pay in this currency.", "/default_currency"
        )
