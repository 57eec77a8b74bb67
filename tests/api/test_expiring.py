"""What an integration says when a person has to act before a day."""

from datetime import timedelta

import pytest
import time_machine

from channel_sync.domain.clock import utcnow

pytestmark = pytest.mark.every_store


@pytest.fixture
async def href(world, admin) -> str:
    """Where an active integration is whose consent ends in 20 days."""
    world.channel.consent_ends_at = utcnow() + timedelta(days=20)
    return f"/integrations/{(await world.connect(admin))['id']}"


async def test_it_says_until_when_and_what_to_do(world, admin, href):
    before = (await admin.get(href)).json()
    with time_machine.travel(utcnow() + timedelta(days=10), tick=True):
        shown, status = (await admin.get(href)).json(), (await admin.get(f"{href}/status")).json()

    assert (before["auth"]["state"], before["auth"]["authorise_by"], before["next_action"]) == (
        "connected",
        None,
        None,
    )
    assert (shown["status"], shown["auth"]["state"]) == ("active", "expiring")
    assert shown["auth"]["authorise_by"].startswith(f"{world.channel.consent_ends_at:%Y-%m-%dT%H:%M:%S}")
    assert shown["next_action"] == {"method": "POST", "href": f"{href}/reauthorise"}
    assert (status["auth"], status["next_action"]) == (shown["auth"], shown["next_action"])
