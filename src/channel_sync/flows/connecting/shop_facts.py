"""What a connection would like to know of its shop, and does not fail for want of."""

from channel_sync.domain.channel import Shop
from channel_sync.domain.errors import ChannelError


async def shop_name(shop: Shop) -> str | None:
    """The shop's name, where the marketplace tells it."""
    try:
        return await shop.name()
    except ChannelError:
        return None


async def first_warehouse(shop: Shop) -> str | None:
    """The warehouse that stock goes to by default: the marketplace's first one, where it tells."""
    try:
        warehouses = await shop.warehouses()
    except ChannelError:
        return None
    return warehouses[0].id if warehouses else None
