from dataclasses import replace
from datetime import UTC, datetime, timedelta

from channel_sync.domain.channel import Environment
from channel_sync.domain.integrations import AuthState, Integration, Status

OVERDUE = timedelta(days=1)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DRAFT = Integration(
    id="int_1",
    tenant="acme",
    channel="wish",
    environment=Environment.SANDBOX,
    name="Shop",
    client_id="c",
    client_secret_last4="cret",
    client_secret_updated_at=NOON,
    created_at=NOON,
    updated_at=NOON,
    status_since=NOON,
    orders_from=NOON,
)
ACTIVE = replace(
    DRAFT, activated_at=NOON, access_token_last4="oken", access_token_expires_at=NOON + timedelta(days=30)
)


def test_a_connection_without_a_currency_is_still_a_draft():
    assert replace(ACTIVE, activated_at=None).status is Status.DRAFT


def test_a_finished_connection_is_active():
    assert ACTIVE.status is Status.ACTIVE
    assert ACTIVE.runnable


def test_a_rejected_grant_needs_the_merchant():
    rejected = replace(ACTIVE, rejected_reason="refresh_token_rejected")
    assert (rejected.status, rejected.runnable) == (Status.NEEDS_REAUTH, False)
    assert rejected.auth_state(NOON, OVERDUE) is AuthState.REJECTED


def test_what_the_user_switched_off_shows_as_disabled_even_when_the_grant_is_dead():
    assert replace(ACTIVE, enabled=False, rejected_reason="client_rejected").status is Status.DISABLED


def test_a_disabled_account_at_the_marketplace_pauses():
    assert replace(ACTIVE, paused_reason="account_disabled_at_wish").status is Status.PAUSED


def test_degraded_is_a_reason_of_active():
    degraded = replace(ACTIVE, degraded_reason="contract")
    assert (degraded.status, degraded.status_reason) == (Status.ACTIVE, "degraded")
    assert replace(degraded, enabled=False).status_reason is None


def test_removed_comes_before_everything():
    assert replace(ACTIVE, removed_at=NOON, enabled=False).status is Status.REMOVED


def test_a_restored_one_without_credentials_needs_the_merchant():
    assert replace(ACTIVE, access_token_last4=None, access_token_expires_at=None).status is Status.NEEDS_REAUTH


END = NOON + timedelta(days=30)


def test_a_token_that_renews_itself_is_no_reason_to_act():
    for now in (NOON, END - timedelta(hours=1), END + timedelta(days=3)):
        assert ACTIVE.auth_state(now, OVERDUE) is AuthState.CONNECTED


def test_a_token_that_is_long_not_renewed_is_expiring_on_its_last_day():
    failing = replace(ACTIVE, renewal_failing_since=END - timedelta(days=5))
    assert failing.auth_state(END - timedelta(days=2), OVERDUE) is AuthState.CONNECTED
    assert failing.auth_state(END - timedelta(hours=23), OVERDUE) is AuthState.EXPIRING
    assert failing.authorise_by(END - timedelta(hours=23), OVERDUE) == END


def test_one_failure_is_no_reason_however_short_the_life_of_a_token():
    failing = replace(ACTIVE, renewal_failing_since=END - timedelta(hours=2))
    assert failing.auth_state(END - timedelta(minutes=70), OVERDUE) is AuthState.CONNECTED
    assert failing.auth_state(END - timedelta(minutes=50), OVERDUE) is AuthState.EXPIRING


def test_a_token_of_two_hours_is_told_of_before_its_end_too():
    overdue = timedelta(minutes=3)
    failing = replace(ACTIVE, renewal_failing_since=END - timedelta(minutes=15))
    once = replace(ACTIVE, renewal_failing_since=END - timedelta(minutes=5))
    assert failing.auth_state(END - timedelta(minutes=4), overdue) is AuthState.CONNECTED
    assert failing.auth_state(END - timedelta(minutes=2), overdue) is AuthState.EXPIRING
    assert once.auth_state(END - timedelta(minutes=2), overdue) is AuthState.CONNECTED


def test_a_consent_that_ends_is_expiring_two_weeks_before():
    ending = replace(ACTIVE, grant_ends_at=END, access_token_expires_at=END - timedelta(days=20))
    assert ending.auth_state(END - timedelta(days=15), OVERDUE) is AuthState.CONNECTED
    assert ending.auth_state(END - timedelta(days=13), OVERDUE) is AuthState.EXPIRING
    assert replace(ending, enabled=False).authorise_by(END - timedelta(days=13), OVERDUE) == END


def test_the_nearer_end_is_the_one_that_counts():
    both = replace(ACTIVE, renewal_failing_since=NOON, grant_ends_at=END + timedelta(days=2))
    assert both.authorise_by(END - timedelta(hours=3), OVERDUE) == END


def test_nobody_has_to_act_where_nothing_is_renewed_or_something_else_is_wrong():
    now, failing = END - timedelta(hours=1), replace(ACTIVE, renewal_failing_since=NOON, grant_ends_at=END)
    for changes in (
        {"enabled": False, "grant_ends_at": None},
        {"paused_reason": "account_disabled_at_wish", "grant_ends_at": None},
        {"removed_at": NOON},
        {"activated_at": None},
        {"rejected_reason": "client_rejected"},
    ):
        assert replace(failing, **changes).authorise_by(now, OVERDUE) is None


def test_a_draft_waits_for_the_merchant_only_while_its_attempt_lives():
    waiting = replace(DRAFT, pending_until=NOON + timedelta(minutes=10))
    assert waiting.auth_state(NOON, OVERDUE) is AuthState.PENDING
    assert waiting.auth_state(NOON + timedelta(minutes=11), OVERDUE) is AuthState.NONE
