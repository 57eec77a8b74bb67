"""What callers switch on is a closed set. That nothing else is raised, mypy says: the sets are types."""

import re
from pathlib import Path

import pytest

from channel_sync.api.http.problems import code_of
from channel_sync.domain import codes
from channel_sync.domain.codes import CALLBACK_ERRORS, PROBLEM_CODES, STATUS_REASONS
from channel_sync.domain.errors import (
    AccessTokenRejected,
    AccountDisabled,
    ChannelRefused,
    ChannelUnavailable,
    GrantRejected,
    RateLimited,
    ReplyNotUnderstood,
    RunStopped,
)
from channel_sync.domain.events import EVENT_TYPES

SOURCES = Path(codes.__file__).parent.parent
# Events of what is not built yet.
PROMISED = {"stock.drift_detected"}


def raised() -> set[str]:
    """Every text in the code that could be a code, but for the lists themselves."""
    lists = {Path(codes.__file__), SOURCES / "domain" / "events.py"}
    texts = [file.read_text() for file in SOURCES.rglob("*.py") if file not in lists]
    return {code for text in texts for code in re.findall(r'"([a-z0-9_.]+)"', text)}


@pytest.mark.parametrize("known", [PROBLEM_CODES, CALLBACK_ERRORS, STATUS_REASONS, EVENT_TYPES])
def test_a_set_names_each_once_and_holds_nothing_that_nobody_says(known):
    assert len(set(known)) == len(known)
    assert set(known) - raised() - PROMISED == set()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ChannelRefused("90001", "No."), "channel_refused"),
        (ChannelRefused("not_found", "No."), "channel_refused"),
        (ChannelUnavailable("an_outage_of_its_own", "No."), "channel_unavailable"),
        (RateLimited("No."), "rate_limited"),
        (AccessTokenRejected("1006", "No."), "access_token_rejected"),
        (AccountDisabled("account_disabled", "No."), "account_disabled"),
        (GrantRejected("code_wrong", "No."), "grant_rejected"),
        (ReplyNotUnderstood("odd", "No."), "reply_not_understood"),
        (RunStopped(), "internal_error"),
    ],
)
def test_a_code_of_the_marketplace_is_not_taken_for_one_of_ours(error, code):
    assert code_of(error) == code


async def test_a_refusal_of_the_marketplace_names_its_code_beside_ours(admin, world):
    integration = await world.connect(admin)
    world.channel.fail("merchant_id", ChannelRefused("90001", "Wish refused the request."))
    pasted = {name: "a-long-enough-text" for name in ("client_secret", "access_token", "refresh_token")}
    answer = await admin.put(
        f"/integrations/{integration['id']}/credentials", json={"client_id": "client-1", **pasted}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "channel_refused")
    assert answer.json()["channel_code"] == "90001"
