"""Wish's entry in the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from channel_sync.channels.marketplace import Marketplace, Opening
from channel_sync.channels.wish.dictionary import DICTIONARY
from channel_sync.channels.wish.read_pages import read_page

if TYPE_CHECKING:
    from channel_sync.channels.wish.settings import WishSettings
    from channel_sync.domain.channel import App, Channel, Environment


def addresses(settings: WishSettings) -> Mapping[Environment, str]:
    """Where Wish is."""
    from channel_sync.domain.channel import Environment

    return {
        Environment.PRODUCTION: settings.wish_production_url,
        Environment.SANDBOX: settings.wish_sandbox_url,
    }


def apps(settings: WishSettings) -> Mapping[Environment, App]:
    """The platform's public apps at Wish, as far as there are any."""
    from channel_sync.domain.channel import App, Environment
    from channel_sync.domain.secrets import Secret

    given = {
        Environment.PRODUCTION: (settings.wish_app_client_id, settings.wish_app_client_secret),
        Environment.SANDBOX: (settings.wish_sandbox_app_client_id, settings.wish_sandbox_app_client_secret),
    }
    return {
        environment: App(client_id, Secret(secret.get_secret_value()), environment, of_platform=True)
        for environment, (client_id, secret) in given.items()
        if client_id is not None and secret is not None
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


WISH = Marketplace("wish", addresses, apps, open_channel, read_page, (DICTIONARY,))
