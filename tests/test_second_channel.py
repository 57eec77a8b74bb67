"""A second marketplace is its own folder and an entry: everything else works with it as it is."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.api.world import PUBLIC_URL, query_of
from tests.flows.goods import START, a_listing, an_order
from tests.jobs.waiting import until
from tests.second_channel import BAZAAR, DICTIONARY, STALL
from tests.two_marketplaces import NEW, Service, opened_service

from channel_sync.api.app import openapi
from channel_sync.persistence.rows.encryption import Cipher
from channel_sync.persistence.rows.sealed_columns import ORDER
from channel_sync.persistence.sql.trade_tables import orders


@pytest.fixture
async def service(sqlite_file: Path, cipher: Cipher) -> AsyncIterator[Service]:
    async with opened_service(sqlite_file, cipher) as service:
        yield service


async def test_both_are_offered(service: Service):
    [wish, bazaar] = (await service.read("/channels"))["items"]

    assert (wish["type"], wish["redirect_url"]) == ("wish", f"{PUBLIC_URL}/wish/callback")
    assert (bazaar["type"], bazaar["redirect_url"]) == (BAZAAR, f"{PUBLIC_URL}/bazaar/callback")
    assert bazaar["credential_fields"] == ["client_id", "client_secret", "stall"]


async def test_a_seller_connects_on_pages_of_the_marketplace(service: Service):
    draft = await service.draft()
    assert draft["authorise_url"].startswith(f"{PUBLIC_URL}/bazaar/authorise?ticket=")
    async with service.browser() as browser:
        page = await browser.get(draft["authorise_url"])
        departure = await browser.post(draft["authorise_url"])

    assert "Continue to Bazaar" in page.text
    assert departure.headers["set-cookie"].startswith("bazaar_attempt_")
    connected = await service.connect()
    assert (connected["status"], connected["channel"]["type"]) == ("active", BAZAAR)


async def test_a_third_credential_goes_along_wherever_the_marketplace_asks(service: Service):
    connected = await service.connect()
    await service.run(connected["id"], "orders")
    async with service.caller as caller:
        verified = await caller.post(f"/integrations/{connected['id']}/verify")

    assert (service.bazaar.calls["redeem"], service.bazaar.calls["renew"]) == (1, 1)
    assert verified.json()["ok"]
    assert STALL not in verified.text + str(connected)


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        (None, "/more_credentials/stall"),
        ({"stall": "********"}, "/more_credentials/stall"),
        ({"stall": STALL, "other": "another-secret"}, "/more_credentials"),
    ],
)
async def test_a_third_credential_is_asked_for_and_no_other(service: Service, more: Any, pointer: str):
    async with service.caller as caller:
        refused = await caller.post("/integrations", json=NEW | {"more_credentials": more})
        unwanted = await caller.post("/integrations", json=NEW | {"channel": "wish"})

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert unwanted.json()["errors"][0]["pointer"] == "/more_credentials"


async def test_a_third_credential_stays_when_the_secret_changes(service: Service):
    connected = await service.connect()
    async with service.caller as caller:
        changed = await caller.patch(
            f"/integrations/{connected['id']}", json={"client_secret": "another-secret-of-the-app"}
        )
        verified = await caller.post(f"/integrations/{connected['id']}/verify")

    assert (changed.status_code, verified.json()["ok"]) == (200, True)


async def test_an_answer_without_the_state_is_none_where_it_always_comes_back(service: Service):
    service.bazaar.open_shop("m1")
    draft = await service.draft()
    async with service.browser() as browser:
        departure = await browser.post(draft["authorise_url"])
        code = service.bazaar.consent(departure.headers["location"], "m1")
        page = await browser.get("/bazaar/callback", params={"code": code})

    assert page.status_code == 400
    assert "does not belong to what was asked" in page.text
    assert service.bazaar.calls["redeem"] == 0


async def test_what_comes_back_at_one_marketplace_is_no_answer_to_another(service: Service):
    service.bazaar.open_shop("m1")
    draft = await service.draft()
    async with service.browser() as browser:
        departure = await browser.post(draft["authorise_url"])
        consent = departure.headers["location"]
        answer = {"code": service.bazaar.consent(consent, "m1"), "state": query_of(consent)["state"]}
        page = await browser.get("/wish/callback", params=answer)

    assert (page.status_code, "did not start a connection here" in page.text) == (400, True)
    assert (service.bazaar.calls["redeem"], service.wish.calls["redeem"]) == (0, 0)


async def test_nobody_asks_on_pages_of_a_marketplace_that_there_is_not(service: Service):
    async with service.browser() as browser, service.caller as caller:
        assert (await browser.get("/nowhere/callback?code=x")).status_code == 401
        assert (await caller.get("/nowhere/callback?code=x")).status_code == 404
        refused = await caller.post("/integrations", json=NEW | {"channel": "nowhere"})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_channel")


async def test_orders_arrive_page_by_page_by_words_of_its_own(service: Service):
    shop = service.bazaar.open_shop("m1")
    shop.place(*(an_order(number) for number in range(1, 6)))
    connected = await service.connect(orders_from=START.isoformat())
    await service.run(connected["id"], "orders")
    assert await service.orders() == {f"o-{number}" for number in range(1, 6)}
    calls = service.bazaar.calls["orders"]

    shop.place(an_order(60))
    await service.run(connected["id"], "orders")

    assert "o-60" in await service.orders()
    # From where the first walk ended, less the overlap: not through all pages again.
    assert service.bazaar.calls["orders"] - calls <= 4


async def test_what_is_stored_of_its_orders_refers_to_its_own_text(service: Service):
    service.bazaar.open_shop("m1").place(an_order(1))
    connected = await service.connect(orders_from=START.isoformat())
    await service.run(connected["id"], "orders")

    async with service.database.session() as session:
        [row] = await session.rows(orders.select())
    stored = service.database.cipher.open(row.personal, ORDER.place("personal", row._mapping))
    assert stored.startswith(DICTIONARY.mark)
    async with service.database.read() as work:
        read = await work.orders.get("acme", row.id, personal=True)
    assert read.address is not None
    assert read.address.name == "Ada"


async def test_stock_is_told_as_many_units_as_it_bears_and_as_many_products_at_a_time(service: Service):
    shop = service.bazaar.open_shop("m1")
    shop.put_up(*(a_listing(number) for number in range(1, 5)))
    connected = await service.connect()
    await service.run(connected["id"], "listings")
    async with service.caller as caller:
        items = [{"sku": f"sku-{number}", "available": 5_000} for number in range(1, 5)]
        await caller.put("/stock", json={"items": items})

    async def is_told() -> bool:
        return all(shop.units(f"var-{number}")["wh1"] == 999 for number in range(1, 5))

    await until(is_told, within_s=30)
    assert {len(products) for products in shop.sent_in_jobs} == {2}
    level = await service.read("/stock/sku-1")
    assert level["listings"][0]["reckoning"]["text"] == "5000 available, at most 999: 999"


async def test_a_token_of_two_hours_is_not_renewed_at_every_call(service: Service):
    connected = await service.connect()
    for kind in ("orders", "listings", "stock", "orders"):
        await service.run(connected["id"], kind)

    assert service.bazaar.calls["renew"] == 0
    assert connected["auth"]["state"] == "connected"


async def test_a_token_that_ends_soon_is_renewed_once(service: Service):
    service.bazaar.lifetime = timedelta(minutes=10)
    connected = await service.connect()
    service.bazaar.lifetime = timedelta(hours=2)
    for kind in ("orders", "listings", "orders"):
        await service.run(connected["id"], kind)

    assert service.bazaar.calls["renew"] == 1


def test_the_contract_has_the_pages_of_both_and_leaves_the_names_of_the_first():
    one, both = openapi(["wish"]), openapi(["wish", BAZAAR])

    added = both["paths"].keys() - one["paths"].keys()
    assert added == {"/bazaar/authorise", "/bazaar/callback"}
    assert {place: both["paths"][place] for place in one["paths"]} == one["paths"]
    names = [operation["operationId"] for item in both["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))
