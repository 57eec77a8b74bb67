from dataclasses import replace
from datetime import UTC, datetime, timedelta

from channel_sync.domain.channel import Environment
from channel_sync.domain.integrations import AuthState, Integration, Status

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
    assert rejected.auth_state(NOON) is AuthState.REJECTED


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


def test_the_grant_is_expiring_for_its_last_five_days():
    assert ACTIVE.auth_state(NOON) is AuthState.CONNECTED
    assert ACTIVE.auth_state(NOON + timedelta(days=26)) is AuthState.EXPIRING


def test_a_draft_waits_for_the_merchant_only_while_its_attempt_lives():
    waiting = replace(DRAFT, pending_until=NOON + timedelta(minutes=10))
    assert waiting.auth_state(NOON) is AuthState.PENDING
    assert waiting.auth_state(NOON + timedelta(minutes=11)) is AuthState.NONE
