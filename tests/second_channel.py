"""A made-up marketplace beside Wish, and other than Wish wherever marketplaces may differ.

Its tokens live two hours, its pages go on by words of its own, a listing has 999 units at most, two products are
one job, the state always comes back, an application has a third credential, and what is stored of its orders
refers to a text of its own.
"""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from tests.fake_channel import DESCRIPTION, QUICK, FakeChannel
from tests.fake_shop import FakeShop, page_of, time_of, within

from channel_sync.domain.calls import CallContext
from channel_sync.domain.channel import App, ChannelDescription, ConsentRequest, Environment, ShopAccess
from channel_sync.domain.channel_rules import (
    ChannelRules,
    OrderChangeRules,
    OrderJobRules,
    RenewalRules,
    StockRules,
)
from channel_sync.domain.errors import ClientRejected
from channel_sync.domain.orders import OrderPage, OrderQuery
from channel_sync.domain.reply_dictionary import ReplyDictionary
from channel_sync.domain.secrets import Secret

BAZAAR: Final = "bazaar"
DICTIONARY: Final = ReplyDictionary(b'{"orderId":"","soldAt":"2026-01-01","buyer":{"name":""},"lines":[]}')
STALL: Final = "stall-of-the-seller"
SEEN: Final = replace(
    DESCRIPTION, type=BAZAAR, name="Bazaar", credential_fields=("client_id", "client_secret", "stall")
)
RULES: Final = ChannelRules(
    renewal=RenewalRules(before=timedelta(minutes=15), not_again_within=timedelta(minutes=1)),
    stock=StockRules(
        most_units=999,
        singly=1,
        bulk_products=2,
        bulk_bytes=10_000,
        bytes_a_listing=100,
        bytes_a_warehouse=100,
        polls=QUICK,
    ),
    order_changes=OrderChangeRules(
        scopes=frozenset(),
        tracking_number=re.compile(r"[A-Z]{2}-[0-9]+"),
        tracking_numbers="Two letters, a dash and digits.",
        at_once=1,
        polls=QUICK,
    ),
    order_jobs=OrderJobRules(after_pages=3, orders_a_page=2, polls=QUICK),
    catalogue_polls=QUICK,
    disabled_reason="account_disabled_at_wish",
)
_PAGE = 2


@dataclass
class Bazaar(FakeChannel):
    """The marketplace. `consent_page` is where its sellers consent."""

    lifetime: timedelta = timedelta(hours=2)
    description: ChannelDescription = SEEN
    rules: ChannelRules = RULES
    consent_page: str = "https://bazaar.example/consent"

    def issuer(self, environment: Environment) -> str:
        return self.consent_page

    def consent_url(self, asked: ConsentRequest) -> str:
        query = urlencode(
            {
                "client_id": asked.client_id,
                "state": asked.state,
                "code_challenge": asked.code_challenge,
                "stall": dict(asked.more).get("stall", Secret("")).value,
            }
        )
        return f"{self.consent_page}?{query}"

    def check_app(self, app: App) -> None:
        super().check_app(app)
        if dict(app.more).get("stall") != Secret(STALL):
            raise ClientRejected("client_rejected", "There is no such stall.")

    def shop(self, access: ShopAccess, context: CallContext) -> "BazaarShop":
        return BazaarShop(self, access.token, context)


class BazaarShop(FakeShop):
    """Its list of orders is gone through by tokens; only its end says up to when everything was seen."""

    async def orders(self, query: OrderQuery) -> OrderPage:
        owner = await self._open("orders")
        asked = sorted(
            (order for order in owner.orders.values() if within(order, query)),
            key=lambda order: time_of(order, query),
        )
        start = int((query.page or "token-0").removeprefix("token-"))
        page, end = asked[start : start + _PAGE], start + _PAGE
        if end < len(asked):
            return page_of(page, replace(query, page=f"token-{end}"), True, full=True)
        since = time_of(asked[-1], query) if asked else query.since
        return page_of(page, replace(query, since=max(since, query.since), page=None), True, full=False)
