import pytest

from channel_sync.flows.connecting.outcomes import UNKNOWN_ATTEMPT, Callback


@pytest.mark.parametrize(
    ("code", "can_be_one"),
    [
        ("c0de", True),
        ("c" * 2048, True),
        ("c" * 2049, False),
        ("", False),
        (None, False),
        ("c\u00f6de", False),
        ("c\node", False),
        ("c\x00de", False),
    ],
)
def test_a_code_is_short_plain_text(code, can_be_one):
    assert Callback(code=code).has_code is can_be_one


def test_what_came_back_shows_neither_code_nor_state():
    assert "CNRY" not in repr(Callback(code="CNRY-code", state="CNRY-state", error="access_denied"))


def test_an_attempt_that_nobody_knows_belongs_to_nothing_and_leads_nowhere():
    assert (UNKNOWN_ATTEMPT.result, UNKNOWN_ATTEMPT.error) == ("failed", "attempt_expired")
    assert (UNKNOWN_ATTEMPT.integration_id, UNKNOWN_ATTEMPT.return_url) == (None, None)
