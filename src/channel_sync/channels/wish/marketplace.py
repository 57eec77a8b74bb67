"""Wish's entry in the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from channel_sync.channels.marketplace import Marketplace, Opening
from channel_sync.channels.wish.dictionary import DICTIONARY
from channel_sync.channels.wish.read_pages import read_page

if TYPE_CHECKING:
    from channel_sync.channels.wish.settings import WishSettings
    from channel_sync.domain.channel import Channel, Environment


def addresses(settings: WishSettings) -> Mapping[Environment, str]:
    """Where Wish is."""
    from channel_sync.domain.channel import Environment

    return {
        Environment.PRODUCTION: settings.wish_production_url,
        Environment.SANDBOX: settings.wish_sandbox_url,
    }


def open_channel(opening: Opening) -> Channel:
    """Wish, by the settings."""
    from channel_sync.channels.http.addresses import AllowedHosts
    from channel_sync.channels.wish.channel import WishChannel
    from channel_sync.channels.wish.client import ClientLimits

    settings = opening.settings
    limits = ClientLimits(settings.wish_rate_per_s, opening.concurrency)
    hosts = AllowedHosts(settings.wish_file_hosts)
    return WishChannel(opening.transport, addresses(settings), limits, opening.shared, hosts)


WISH = Marketplace("wish", addresses, open_channel, read_page, (DICTIONARY,))
