from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import update
from tests.connecting import TENANT, Desk, ticket_of
from tests.fake_channel import DESCRIPTION, SCOPES, FakeChannel

from channel_sync.domain.addresses import public_address
from channel_sync.domain.channel import App, Consent, Grant
from channel_sync.domain.errors import ChannelUnavailable, GrantRejected
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.authorise import Reauthorisation
from channel_sync.flows.connecting.redemption import Redeeming, app_is_new
from channel_sync.flows.connecting.under_way import under_way
from channel_sync.persistence.rows.encryption import Unreadable
from channel_sync.persistence.sql.tables import integrations

OWN = Secret("s3cret-of-app1")


@pytest.fixture
def desk(sqlite_database):
    return Desk(sqlite_database)


@pytest.fixture
def redeeming(desk):
    return Redeeming(desk.database, {"wish": desk.channel}, public_address("https://sync.example/in"))


async def leave(desk, ticket):
    """An attempt whose browser is on its way, and the code that it will bring."""
    departure = await desk.consent_redirects.start(ticket, [])
    [one] = await under_way(desk.database, [departure.cookie])
    return one, Secret(desk.answer(departure).code)


async def left(desk, **members):
    _, ticket = await desk.draft(**members)
    return await leave(desk, ticket)


async def left_again(desk, **members):
    """The same of an integration that is connected, with another application perhaps."""
    integration = await desk.active()
    invitation = await desk.authorise.reauthorise(TENANT, integration.id, Reauthorisation(**members))
    return await leave(desk, ticket_of(invitation.authorise_url))


async def test_the_application_is_the_integrations_own(desk, redeeming):
    one, _ = await left(desk)

    assert await redeeming.app_of(one) == App("app1", OWN, one.integration.environment, ())
    assert not app_is_new(one)


@pytest.mark.parametrize(
    ("given", "app"),
    [
        ({"client_id": "app2", "client_secret": Secret("s3cret-of-app2")}, ("app2", Secret("s3cret-of-app2"))),
        ({"client_secret": Secret("a-newer-secret")}, ("app1", Secret("a-newer-secret"))),
    ],
)
async def test_or_the_one_that_the_attempt_was_begun_with(desk, redeeming, given, app):
    one, _ = await left_again(desk, **given)

    found = await redeeming.app_of(one)

    assert (found.client_id, found.client_secret) == app
    assert app_is_new(one)


async def test_an_application_has_what_else_its_marketplace_wants(desk, redeeming):
    desk.channel.description = replace(
        DESCRIPTION, credential_fields=("client_id", "client_secret", "partner_key")
    )
    more = (("partner_key", Secret("a-partner-key")),)
    one, _ = await left(desk, more=more)

    assert (await redeeming.app_of(one)).more == more


async def test_a_secret_that_cannot_be_read_is_no_application(desk, redeeming):
    one, _ = await left(desk)
    async with desk.database.session() as session:
        await session.execute(update(integrations).values(client_secret=b"anything"))

    with pytest.raises(Unreadable):
        await redeeming.app_of(one)


async def test_a_code_is_good_for_a_grant_and_the_facts_of_its_shop(desk, redeeming):
    one, code = await left(desk)
    app = await redeeming.app_of(one)

    obtained = await redeeming.redeem(one, app, code)

    assert (obtained.app, obtained.grant.merchant_id) == (app, "m1")
    assert (obtained.shop_name, obtained.warehouse_id, obtained.app_is_new) == ("Shop", "wh1", False)
    assert desk.channel.tokens[obtained.grant.access_token.value] == "m1"


@dataclass
class Away(FakeChannel):
    """A marketplace that is away and notes what it was given."""

    given: list[Consent] = field(default_factory=list)

    async def redeem(self, app: App, consent: Consent) -> Grant:
        self.given.append(consent)
        raise ChannelUnavailable("server_error", "Down.")


async def test_the_marketplace_gets_the_verifier_and_the_address_that_it_sent_the_browser_to(desk):
    one, code = await left(desk)
    away = Away()
    redeeming = Redeeming(desk.database, {"wish": away}, public_address("https://sync.example/in"))
    with pytest.raises(ChannelUnavailable):
        await redeeming.redeem(one, await redeeming.app_of(one), code)

    assert away.given == [Consent(code, one.attempt.code_verifier, "https://sync.example/in/wish/callback")]


async def test_a_code_is_used_up_with_the_first_time(desk, redeeming):
    one, code = await left(desk)
    app = await redeeming.app_of(one)
    await redeeming.redeem(one, app, code)

    with pytest.raises(GrantRejected):
        await redeeming.redeem(one, app, code)


@pytest.mark.parametrize(
    ("granted", "is_enough"), [(SCOPES, True), ((*SCOPES, "more"), True), (SCOPES[1:], False), ((), False)]
)
async def test_a_grant_has_every_scope_that_the_jobs_need(desk, redeeming, granted, is_enough):
    one, _ = await left(desk)
    grant = replace(desk.channel.issue("m1"), scopes=granted)

    assert redeeming.covers(one, grant) is is_enough
