"""The platform's own app at a second marketplace, and a seller who begins there."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.api.world import query_of
from tests.platform_apps import CLIENT_ID, SetApps, an_app
from tests.second_channel import BAZAAR, STALL
from tests.two_marketplaces import NEW, Service, opened_service

from channel_sync.domain.secrets import Secret
from channel_sync.persistence.rows.encryption import Cipher


@pytest.fixture
async def service(sqlite_file: Path, cipher: Cipher) -> AsyncIterator[Service]:
    async with opened_service(sqlite_file, cipher) as service:
        yield service


async def test_the_platforms_app_has_all_that_its_marketplace_wants(service: Service):
    app = replace(an_app(), more=(("stall", Secret(STALL)),))
    service.database.platform_apps = SetApps(app, BAZAAR)
    unasked = {"client_id": None, "client_secret": None, "more_credentials": None}
    [wish, bazaar] = (await service.read("/channels"))["items"]

    connected = await service.connect(**unasked)
    async with service.caller as caller:
        verified = await caller.post(f"/integrations/{connected['id']}/verify")

    assert (bazaar["credential_fields"], wish["credential_fields"] != []) == ([], True)
    assert (connected["auth"]["platform_app"], verified.json()["ok"]) == (True, True)
    assert STALL not in verified.text + str(connected)


async def test_what_was_not_asked_for_is_nobodys_where_the_state_always_comes_back(service: Service):
    service.database.platform_apps = SetApps(channel=BAZAAR)
    async with service.browser() as browser:
        page = await browser.get("/bazaar/callback", params={"code": service.bazaar.add_app(CLIENT_ID, "m1")})

    assert (page.status_code, service.bazaar.calls["redeem"]) == (400, 0)


async def test_where_it_may_be_left_out_a_seller_may_begin_at_that_marketplace(service: Service):
    service.database.platform_apps = SetApps(replace(an_app(), more=(("stall", Secret(STALL)),)), BAZAAR)
    service.bazaar.rules = replace(service.bazaar.rules, requires_state=False)
    service.bazaar.open_shop("m1")
    async with service.browser() as browser, service.caller as caller:
        code = service.bazaar.add_app(CLIENT_ID, "m1")
        elsewhere = await browser.get("/wish/callback", params={"code": code})
        added = await browser.get("/bazaar/callback", params={"code": code})
        query = query_of(added.headers["location"])
        unasked = {"client_id": None, "client_secret": None, "more_credentials": None, "return_url": None}
        connected = await caller.post("/integrations", json=NEW | unasked | {"claim": query["claim"]})

    assert (elsewhere.status_code, query["channel"]) == (400, BAZAAR)
    assert (connected.status_code, connected.json()["status"]) == (201, "active")
