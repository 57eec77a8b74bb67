from dataclasses import replace

from tests.factories import NOW, an_integration, later

from channel_sync.flows.status.since import restated

BEFORE = an_integration(access_token_last4="aaaa")


def test_a_status_that_is_another_began_now():
    disabled = replace(BEFORE, enabled=False)

    assert restated(BEFORE, disabled, later(5)) == replace(disabled, status_since=later(5), updated_at=later(5))


def test_a_status_that_stays_began_when_it_did_whatever_else_changed():
    renamed = replace(BEFORE, name="Another", status_since=later(1))

    assert restated(BEFORE, renamed, later(5)) == replace(renamed, status_since=NOW, updated_at=later(5))
