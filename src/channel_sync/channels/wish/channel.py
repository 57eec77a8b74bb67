"""Wish as a channel: what flows may ask of it."""

from collections.abc import Mapping

import httpx

from channel_sync.channels.http.addresses import ANY_HOST, AllowedHosts
from channel_sync.channels.reader_code import code_digest
from channel_sync.channels.wish import oauth
from channel_sync.channels.wish.client import ClientLimits, WishClient
from channel_sync.channels.wish.connection import WishConnection
from channel_sync.channels.wish.description import REQUIRED_SCOPES, wish_description
from channel_sync.channels.wish.order_pages import kept_order
from channel_sync.channels.wish.rules import RULES
from channel_sync.channels.wish.shop import WishShop
from channel_sync.domain.budgets import SharedBudget
from channel_sync.domain.calls import CallContext
from channel_sync.domain.channel import (
    App,
    ChannelDescription,
    Consent,
    ConsentRequest,
    Environment,
    Grant,
    ShopAccess,
)
from channel_sync.domain.channel_rules import ChannelRules
from channel_sync.domain.orders import OrderPage
from channel_sync.domain.secrets import Secret


class WishChannel:
    """The Wish marketplace, wherever its environments are. A `shared` budget is that of all our processes.

    `file_hosts` are where the files of its jobs may lie, apart from its own addresses.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        base_urls: Mapping[Environment, str],
        limits: ClientLimits,
        shared: SharedBudget | None = None,
        file_hosts: AllowedHosts = ANY_HOST,
    ) -> None:
        self._client = WishClient(transport, base_urls, limits, shared=shared, file_hosts=file_hosts)
        self._description = wish_description()
        self._reader = code_digest(__package__)

    @property
    def description(self) -> ChannelDescription:
        """What a seller sees when adding the channel."""
        return self._description

    @property
    def rules(self) -> ChannelRules:
        """How it wants to be dealt with."""
        return RULES

    @property
    def reader(self) -> str:
        """Which code reads its replies."""
        return self._reader

    @property
    def required_scopes(self) -> frozenset[str]:
        """Scopes without which the jobs cannot work."""
        return REQUIRED_SCOPES

    def issuer(self, environment: Environment) -> str:
        """Who gives codes there: Wish itself."""
        return self._client.base_url(environment)

    def consent_url(self, asked: ConsentRequest) -> str:
        """Where the merchant's browser goes to give consent."""
        return oauth.consent_url(self._client.base_url(asked.environment), asked)

    async def redeem(self, app: App, consent: Consent) -> Grant:
        """The grant for an authorization code."""
        return await oauth.redeem(self._client, app, consent)

    async def renew(self, app: App, refresh_token: Secret) -> Grant:
        """A new grant; the access tokens given so far stop working."""
        return await oauth.renew(self._client, app, refresh_token)

    def shop(self, access: ShopAccess, context: CallContext) -> WishShop:
        """The shop that the token opens."""
        return WishShop(WishConnection(self._client, access, context))

    def read_order(self, raw: bytes) -> OrderPage:
        """A kept reply read again, without a call."""
        return kept_order(raw)
