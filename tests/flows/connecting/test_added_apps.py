"""A seller adds the platform's app in the marketplace's own store: what comes back is redeemed and waits."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from sqlalchemy import insert, text
from tests.connecting import ADD_APP_URL, TENANT, Desk, utc_now
from tests.platform_apps import CLIENT_ID, SECRET, SetApps

from channel_sync.domain.channel import App, Environment
from channel_sync.domain.errors import ClientRejected, GrantRejected, NoAnswer
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.added_apps import CLAIMABLE_FOR, MOST_AT_ONCE, MOST_WAITING
from channel_sync.flows.connecting.claims import ClaimedIntegration
from channel_sync.flows.connecting.outcomes import Added, Callback, Crowded, NotAdded
from channel_sync.persistence.database import Database
from channel_sync.persistence.sql.consent_tables import claims


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    database.platform_apps = SetApps()
    desk = Desk(database)
    desk.channel.client_secrets[CLIENT_ID] = SECRET
    yield desk
    await desk.doubts.finish()


def added(desk: Desk, merchant_id: str = "m1") -> Callback:
    """What the browser of a merchant brings who chose Add app."""
    return Callback(code=desk.channel.add_app(CLIENT_ID, merchant_id))


async def claim_of(desk: Desk, callback: Callback) -> Secret:
    """The claim that the browser takes to the platform."""
    outcome = await desk.added_apps.arrive("wish", callback)
    assert isinstance(outcome, Added), outcome
    return Secret(parse_qs(urlsplit(outcome.url).query)["claim"][0])


async def stored(desk: Desk, column: str) -> list[object]:
    async with desk.database.session() as session:
        return await session.column(text(f"SELECT {column} FROM claims ORDER BY id"))


async def test_the_code_is_redeemed_at_once_and_the_browser_takes_a_claim_along(desk: Desk):
    outcome = await desk.added_apps.arrive("wish", added(desk))

    assert isinstance(outcome, Added)
    assert outcome.url.startswith(f"{ADD_APP_URL}?")
    query = parse_qs(urlsplit(outcome.url).query)
    assert (query["channel"], len(query["claim"][0])) == (["wish"], 43)
    assert (desk.channel.calls["redeem"], await desk.told()) == (1, [])
    assert query["claim"][0] not in repr(outcome)


async def test_of_claim_and_code_only_hashes_are_kept_and_the_grant_is_sealed(desk: Desk):
    callback = added(desk)
    claim = await claim_of(desk, callback)

    async with desk.database.session() as session:
        [row] = await session.rows(text("SELECT * FROM claims"))
    shown = " ".join(str(value) for value in row)
    assert claim.value not in shown
    assert str(callback.code) not in shown
    [token] = desk.channel.tokens
    assert token not in shown
    assert (row.tenant, row.shop_name, row.merchant_id) == (None, "Shop", "m1")


async def test_a_code_is_used_once_however_often_it_is_brought(desk: Desk):
    desk.channel.delays["redeem"] = 0.1
    callback = added(desk)

    outcomes = await asyncio.gather(*(desk.added_apps.arrive("wish", callback) for _ in range(5)))

    assert desk.channel.calls["redeem"] == 1
    assert sorted(type(one).__name__ for one in outcomes) == ["Added", *["NotAdded"] * 4]
    assert NotAdded("attempt_used") in outcomes


async def test_a_code_that_is_nothing_worth_leaves_no_grant(desk: Desk):
    outcome = await desk.added_apps.arrive("wish", Callback(code="invented"))

    assert outcome == NotAdded("exchange_failed")
    assert (await stored(desk, "kept_grant"), await stored(desk, "claim_hash")) == ([None], [None])
    assert await desk.added_apps.arrive("wish", Callback(code="invented")) == NotAdded("attempt_used")
    assert desk.channel.calls["redeem"] == 1


@pytest.mark.parametrize(
    "error",
    [ClientRejected("client_rejected", "No."), NoAnswer("timeout", "…"), GrantRejected("code_used", "No.")],
)
async def test_an_exchange_that_fails_changes_nothing(desk: Desk, error):
    callback = added(desk)
    desk.channel.fail("redeem", error)

    assert await desk.added_apps.arrive("wish", callback) == NotAdded("exchange_failed")
    assert await stored(desk, "kept_grant") == [None]


async def test_an_app_without_the_scopes_that_are_needed_is_told_of(desk: Desk):
    desk.channel.granted_scopes = ("merchant:read",)

    assert await desk.added_apps.arrive("wish", added(desk)) == NotAdded("insufficient_scope")
    assert await stored(desk, "kept_grant") == [None]


async def test_what_may_be_the_answer_to_something_else_is_left_to_that(desk: Desk):
    may_be, callback = desk.added_apps.may_be, added(desk)
    assert may_be("wish", callback)

    assert not may_be("wish", replace(callback, state="of somebody"))
    assert not may_be("wish", replace(callback, error="access_denied"))
    assert not may_be("wish", replace(callback, iss="https://elsewhere.example"))
    assert not may_be("wish", Callback(code="x" * 3000))
    desk.channel.rules = replace(desk.channel.rules, requires_state=True)
    assert not may_be("wish", callback)


async def test_without_an_app_of_the_platform_nothing_can_be_added(desk: Desk, database: Database):
    database.platform_apps = SetApps(app=None)

    assert not desk.added_apps.may_be("wish", added(desk))


async def test_a_code_of_the_other_environment_is_redeemed_there(desk: Desk, database: Database):
    class Both:
        def find(self, channel: str, environment: Environment) -> App:
            return App(f"app-{environment}", Secret(SECRET), environment, of_platform=True)

    database.platform_apps = Both()
    callback = Callback(code=desk.channel.add_app("app-sandbox", "m1"))

    shop = await desk.claims.preview(TENANT, await claim_of(desk, callback))

    assert (shop.environment, desk.channel.calls["redeem"]) == (Environment.SANDBOX, 2)


async def test_who_adds_the_app_again_has_one_grant_that_waits(desk: Desk):
    first, second = await claim_of(desk, added(desk)), await claim_of(desk, added(desk))

    assert len([one for one in await stored(desk, "kept_grant") if one is not None]) == 1
    integration = await desk.claims.complete(TENANT, ClaimedIntegration("wish", "Mugs", second))
    assert integration.merchant_id == "m1"
    assert first != second


async def test_what_nobody_claims_is_forgotten_after_an_hour(desk: Desk):
    await claim_of(desk, added(desk))
    await desk.prune.forget_grants()
    assert len(await stored(desk, "id")) == 1

    with time_machine.travel(utc_now() + CLAIMABLE_FOR + timedelta(seconds=1), tick=True):
        await desk.prune.forget_grants()

    assert await stored(desk, "id") == []


async def test_an_integration_that_has_the_shop_gets_the_new_grant_at_once(desk: Desk):
    """The consent has ended the tokens that it had."""
    callback = added(desk)
    integration = await desk.active("m1", tenant="globex", client_id=CLIENT_ID, client_secret=Secret(SECRET))
    desk.channel.new_consent_revokes = True

    await claim_of(desk, callback)

    newest = await desk.read(integration.id)
    assert newest.generation == integration.generation + 1
    assert await desk.shop(integration.id).call(lambda shop: shop.merchant_id()) == "m1"
    assert await stored(desk, "kept_grant") == [None]


async def test_a_draft_of_elsewhere_whose_tokens_ended_is_found_out(desk: Desk):
    draft, ticket = await desk.draft("globex", client_id=CLIENT_ID, client_secret=Secret(SECRET))
    await desk.arrive(ticket)
    desk.channel.new_consent_revokes, desk.channel.keeps_old_tokens = True, False
    for merchant in desk.channel.merchants.values():
        merchant.refresh_token = ""

    await claim_of(desk, added(desk))
    await desk.doubts.finish()

    assert (await desk.read(draft.id)).rejected_reason is not None


async def test_no_more_wait_at_once_than_anybody_can_be_adding(desk: Desk, database: Database):
    shop = {"channel": "wish", "environment": "production", "client_id": "app", "kept_grant": b"sealed"}
    rows = [
        shop | {"id": f"clm_{number}", "code_hash": str(number), "created_at": utc_now(), "expires_at": utc_now()}
        for number in range(MOST_WAITING)
    ]
    async with database.session() as session:
        await session.execute(insert(claims), rows)

    assert await desk.added_apps.arrive("wish", added(desk)) == Crowded()
    assert desk.channel.calls["redeem"] == 0


async def test_a_marketplace_that_hangs_holds_only_so_many_calls(desk: Desk):
    desk.channel.delays["redeem"] = 1
    callbacks = [added(desk) for _ in range(MOST_AT_ONCE + 2)]

    outcomes = await asyncio.gather(*(desk.added_apps.arrive("wish", one) for one in callbacks))

    assert outcomes.count(Crowded()) == 2
    assert desk.channel.calls["redeem"] == MOST_AT_ONCE


async def test_what_this_browser_has_under_way_is_not_taken_for_added(desk: Desk):
    _, redirect = await desk.left(client_id=CLIENT_ID, client_secret=Secret(SECRET))
    callback = desk.answer(redirect, with_state=False)
    fresh = added(desk, "m2")

    assert await desk.callbacks.awaits(callback, [redirect.cookie])
    assert not await desk.callbacks.awaits(callback, [])
    await desk.come_back(desk.answer(redirect), redirect)
    # Its attempt is over: the seller may add a second shop with the same browser.
    assert not await desk.callbacks.awaits(fresh, [redirect.cookie])


async def test_cut_off_while_it_is_redeemed_the_code_is_not_used_again_and_the_seller_may_go_on(desk: Desk):
    gate, callback = desk.channel.hold("redeem"), added(desk)
    arriving = asyncio.create_task(desk.added_apps.arrive("wish", callback))
    await gate.reached.wait()
    arriving.cancel()
    await asyncio.gather(arriving, return_exceptions=True)

    assert await desk.added_apps.arrive("wish", callback) == NotAdded("attempt_used")
    claim = await claim_of(desk, added(desk))
    assert (await desk.claims.preview(TENANT, claim)).merchant_id == "m1"
