"""The settings of all marketplaces, each of which has its own; their names begin with its type."""

from channel_sync.channels.wish.settings import WishSettings


class ChannelSettings(WishSettings):
    """What the marketplaces of the registry are set to."""
