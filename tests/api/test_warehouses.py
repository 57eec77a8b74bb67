import pytest

from channel_sync.domain.channel import Warehouse
from channel_sync.domain.errors import ChannelUnavailable

AT_THE_SHOP = (Warehouse("w1", "Main", "standard"), Warehouse("w2", None, None))


@pytest.fixture
async def href(world, admin):
    """An integration whose shop has other warehouses by now than when it was connected."""
    integration = await world.connect(admin, "m1")
    world.channel.merchants["m1"].warehouses = AT_THE_SHOP
    return f"/integrations/{integration['id']}"


async def chosen(admin, href):
    return (await admin.get(href)).json()["settings"]["stock"]["warehouse_id"]


def patch(warehouse_id, **more):
    return {"settings": {"stock": {"warehouse_id": warehouse_id, **more}}}


async def test_connecting_chooses_the_first_warehouse(world, admin):
    integration = await world.connect(admin)
    assert integration["settings"]["stock"]["warehouse_id"] == "wh1"


async def test_a_shop_whose_warehouses_are_not_told_is_connected_all_the_same(world, admin):
    world.channel.fail("warehouses", ChannelUnavailable("server_error", "Down."))
    integration = await world.walk(admin)
    assert integration["status"] == "active"
    assert integration["settings"]["stock"]["warehouse_id"] is None


async def test_the_shops_warehouses_are_listed_as_the_marketplace_has_them(admin, href):
    answer = await admin.get(f"{href}/warehouses")
    assert answer.json() == {
        "items": [
            {"id": "w1", "name": "Main", "kind": "standard"},
            {"id": "w2", "name": None, "kind": None},
        ],
        "next_cursor": None,
    }


async def test_a_warehouse_the_shop_has_can_be_chosen(admin, href):
    answer = await admin.patch(href, json=patch("w2"))
    assert answer.json()["settings"]["stock"]["warehouse_id"] == "w2"


async def test_a_warehouse_the_shop_does_not_have_is_refused_and_nothing_is_stored(admin, href):
    before = await chosen(admin, href)

    answer = await admin.patch(href, json=patch("nope", buffer=3) | {"name": "New"})

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "unknown_warehouse")
    assert problem["errors"][0]["pointer"] == "/settings/stock/warehouse_id"
    assert "nope" not in answer.text
    stored = (await admin.get(href)).json()
    assert (stored["name"], stored["settings"]["stock"]["buffer"]) == ("Mugs", 0)
    assert await chosen(admin, href) == before


async def test_null_chooses_the_first_one_anew(admin, href):
    await admin.patch(href, json=patch("w2"))
    answer = await admin.patch(href, json=patch(None))
    assert answer.json()["settings"]["stock"]["warehouse_id"] == "w1"


async def test_while_the_marketplace_cannot_be_asked_nothing_is_stored(world, admin, href):
    before = await chosen(admin, href)
    world.channel.fail("warehouses", ChannelUnavailable("server_error", "Down."))

    answer = await admin.patch(href, json=patch("w2"))

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert await chosen(admin, href) == before


async def test_other_settings_and_the_same_warehouse_ask_nobody(world, admin, href):
    current, asked = await chosen(admin, href), world.channel.calls["warehouses"]

    for body in (
        patch(current),
        {"settings": {"stock": {"buffer": 1}}},
        {"settings": {"orders": {"enabled": True}}},
    ):
        assert (await admin.patch(href, json=body)).status_code == 200

    assert world.channel.calls["warehouses"] == asked


async def test_before_a_shop_is_connected_there_are_no_warehouses(world, admin):
    new = {"channel": "wish", "name": "Mugs", "client_id": "client-1", "client_secret": "a-secret-of-the-app"}
    href = f"/integrations/{(await admin.post('/integrations', json=new)).json()['id']}"

    asked, chosen_too_early = await admin.get(f"{href}/warehouses"), await admin.patch(href, json=patch("w1"))

    assert [(one.status_code, one.json()["code"]) for one in (asked, chosen_too_early)] == [
        (409, "not_connected")
    ] * 2
    assert (await admin.patch(href, json=patch(None))).status_code == 200


async def test_a_warehouse_can_be_chosen_by_its_name(world, admin, href):
    world.channel.merchants["m1"].warehouses = (Warehouse("w2", None, None), Warehouse("w1", "Main", "standard"))
    answer = await admin.patch(href, json={"settings": {"stock": {"warehouse": "main", "buffer": 2}}})
    stock = answer.json()["settings"]["stock"]
    assert (stock["warehouse_id"], stock["buffer"]) == ("w1", 2)


@pytest.mark.parametrize(
    ("stock", "code"),
    [
        ({"warehouse": "Cellar"}, "unknown_warehouse"),
        ({"warehouse": "Twin"}, "unknown_warehouse"),
        ({"warehouse": "Main", "warehouse_id": "w1"}, "conflict"),
    ],
)
async def test_a_name_that_says_not_which_is_refused(world, admin, href, stock, code):
    world.channel.merchants["m1"].warehouses = (*AT_THE_SHOP, Warehouse("w3", "Twin"), Warehouse("w4", "twin"))
    answer = await admin.patch(href, json={"settings": {"stock": stock}})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, code)
    assert problem["errors"][0]["pointer"] == "/settings/stock/warehouse"
