"""How Wish wants to be dealt with (published v3 document 3.0.65, July 2026)."""

import re
from datetime import timedelta
from typing import Final

from channel_sync.domain.channel_rules import (
    ChannelRules,
    OrderChangeRules,
    OrderJobRules,
    PollWaits,
    RenewalRules,
    StockRules,
)

_LATER_S = (5, 10, 20, 30)
_GIVE_UP_S = 900

RULES: Final = ChannelRules(
    # A token lives 30 days. A renewal ends the one before, and one that comes twice ends both.
    renewal=RenewalRules(before=timedelta(days=5), not_again_within=timedelta(minutes=10)),
    stock=StockRules(
        most_units=500_000,
        singly=3,
        bulk_products=250,
        bulk_bytes=2_000_000,
        bytes_a_listing=80,
        bytes_a_warehouse=60,
        polls=PollWaits(2, 60, _LATER_S, _GIVE_UP_S),
    ),
    order_changes=OrderChangeRules(
        scopes=frozenset({"orders:write"}),
        tracking_number=re.compile(r"[A-Za-z0-9]{1,100}"),
        tracking_numbers="A tracking number has letters and digits only, at most 100.",
        at_once=3,
        # Wish names no time in which it is done; it gives no reason when it is not.
        polls=PollWaits(5, 10, (15, 60, 300), 86_400),
    ),
    # A page has 500, of which the first is the last of the page before. A job of a minute takes six calls.
    order_jobs=OrderJobRules(after_pages=10, orders_a_page=499, polls=PollWaits(2, 2, _LATER_S, _GIVE_UP_S)),
    catalogue_polls=PollWaits(2, 2, _LATER_S, _GIVE_UP_S),
    disabled_reason="account_disabled_at_wish",
    # It may leave the state out.
    requires_state=False,
)
