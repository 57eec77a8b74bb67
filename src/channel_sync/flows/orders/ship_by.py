"""Tells of orders that have to be shipped soon, so long before as their tenant wants, and once."""

from datetime import datetime

from channel_sync.domain.clock import rfc3339, utcnow
from channel_sync.domain.events import Event
from channel_sync.domain.ids import new_id
from channel_sync.domain.ship_by import USUAL_NOTICE_H, NearShipBy
from channel_sync.persistence.database import Database

_AT_ONCE = 500


class ShipByNotices:
    """Notices to every tenant. Repeating it is harmless."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tell(self) -> None:
        """An event for each order whose time has come near; one that others fulfil is passed over."""
        now = utcnow()
        async with self._database.read() as work:
            # Asked without a turn to write, which hardly any minute needs.
            if not await work.ship_by.near(now, USUAL_NOTICE_H, 1):
                return
        told = _AT_ONCE
        while told == _AT_ONCE:
            async with self._database.begin() as work:
                near = await work.ship_by.near(now, USUAL_NOTICE_H, _AT_ONCE)
                await work.ship_by.told(near)
                await work.events.add([_event(one, now) for one in near if one.fulfilled_by == "merchant"])
            told = len(near)


def _event(near: NearShipBy, now: datetime) -> Event:
    members: dict[str, str | int | None] = {
        "order_id": near.order_id,
        "channel_order_id": near.channel_order_id,
        "ship_by": rfc3339(near.ship_by),
    }
    return Event(new_id("evt", now), near.tenant, "order.ship_by_near", near.integration_id, now, members)
