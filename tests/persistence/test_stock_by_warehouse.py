"""Levels that are given by warehouse: each of its own revision, together one version."""

from tests.factories import NOW, TENANT, later

from channel_sync.domain.stock import MOST_WAREHOUSES, StockItem, StockResult, WarehouseLevel


async def put(database, *items, at=NOW):
    async with database.begin() as work:
        return await work.stock.put(TENANT, [StockItem(*item) for item in items], at)


async def get(database, sku="MUG"):
    async with database.read() as work:
        return await work.stock.get(TENANT, sku)


async def test_levels_of_warehouses_are_kept_beside_each_other_and_summed(database):
    await put(database, ("MUG", 5, None, "london"), ("MUG", 7, None, "leeds"))

    level = await get(database)
    assert (level.available, level.version) == (12, 2)
    assert level.warehouses == (WarehouseLevel("leeds", 7), WarehouseLevel("london", 5))


async def test_only_a_changed_one_is_a_new_version(database):
    await put(database, ("MUG", 5, None, "london"), ("MUG", 7, None, "leeds"))

    (same,) = await put(database, ("MUG", 7, None, "leeds"), at=later(1))
    (other,) = await put(database, ("MUG", 6, None, "leeds"), at=later(1))

    assert (same[1], same[0].version) == (StockResult.UNCHANGED, 2)
    assert (other[1], other[0].version, other[0].available) == (StockResult.ACCEPTED, 3, 11)


async def test_each_warehouse_has_revisions_of_its_own(database):
    await put(database, ("MUG", 5, 9, "london"), ("MUG", 7, 1, "leeds"))

    (stale,) = await put(database, ("MUG", 1, 8, "london"))
    (newer,) = await put(database, ("MUG", 1, 2, "leeds"))

    assert (stale[1], newer[1]) == (StockResult.STALE_REVISION, StockResult.ACCEPTED)
    assert (await get(database)).available == 6


async def test_a_level_as_a_whole_takes_the_place_of_those_by_warehouse_and_the_other_way_round(database):
    await put(database, ("MUG", 5, None, "london"), ("MUG", 7, None, "leeds"))

    ((whole, result),) = await put(database, ("MUG", 12))
    assert (whole.available, whole.warehouses, whole.version, result) == (12, None, 3, StockResult.ACCEPTED)

    ((named, _),) = await put(database, ("MUG", 4, None, "york"))
    assert (named.available, named.warehouses) == (4, (WarehouseLevel("york", 4),))


async def test_a_sku_lies_in_so_many_warehouses_and_no_more(database):
    await put(database, *(("MUG", 1, None, f"w{number}") for number in range(MOST_WAREHOUSES)))

    ((_, result),) = await put(database, ("MUG", 1, None, "another"))

    assert (result, (await get(database)).available) == (StockResult.INVALID, MOST_WAREHOUSES)
