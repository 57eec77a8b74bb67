from dataclasses import replace

from tests.factories import an_integration, later

from channel_sync.flows.status.events import integration_event


def test_an_event_says_what_the_status_is_now_and_why():
    stopped = an_integration(tenant="acme", rejected_reason="client_rejected")

    event = integration_event(stopped, "integration.needs_reauth", later(5))

    assert (event.tenant, event.type, event.integration_id) == ("acme", "integration.needs_reauth", stopped.id)
    assert event.created_at == later(5)
    assert event.members == {"status": "needs_reauth", "status_reason": "client_rejected"}


def test_each_event_has_an_id_of_its_own():
    working = an_integration()

    one, other = (integration_event(working, "integration.recovered", later(5)) for _ in range(2))

    assert one.members == {"status": "active", "status_reason": None}
    assert one.id.startswith("evt_")
    assert one == replace(other, id=one.id)
    assert one.id != other.id
