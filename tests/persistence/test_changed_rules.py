from tests.factories import NOW, TENANT, a_channel_listing, connected, later

from channel_sync.domain.listings import ListingStock, PushState, StockOutcome
from channel_sync.domain.push_states import push_state
from channel_sync.domain.stock import StockItem


async def test_other_settings_reach_many_listings_in_pieces_and_show_at_once(database):
    _, account = await connected(database)
    many = [a_channel_listing() for _ in range(600)]
    async with database.begin() as work:
        await work.listings.replace(account.id, many, NOW)
        await work.stock.put(TENANT, [StockItem(one.sku or "", 1) for one in many], NOW)
        stale = await work.pushes.stale(account.id, 1000)
        sent = [ListingStock(one.id, one.variation_id, level.version, 1, (("w", 1),)) for one, level in stale]
        await work.pushes.mark_sent(sent, NOW)
        await work.pushes.settle([StockOutcome(one.listing_id, one.version, True) for one in sent], NOW)
        assert await work.pushes.accounts_with_stale([account.id]) == set()

        rest = await work.pushes.resend(TENANT, account.id, "", later(3))

        listings = (await work.listings.by_skus(TENANT, [one.sku for one in many])).values()
        assert {push_state(listing, 1) for (listing,) in listings} == {PushState.PENDING}
        assert 0 < len(await work.pushes.stale(account.id, 1000)) < len(many)
        assert await work.pushes.accounts_with_stale([account.id]) == {account.id}

        assert await work.pushes.resend(TENANT, account.id, rest, later(3)) is None
        assert len(await work.pushes.stale(account.id, 1000)) == len(many)
