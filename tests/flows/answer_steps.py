"""What a browser does that came back without a state."""

from typing import TypeVar

from tests.connecting import Desk

from channel_sync.domain.integrations import Integration, Status
from channel_sync.flows.connecting.consent import Departure
from channel_sync.flows.connecting.outcomes import Callback, Outcome, Question

Kind = TypeVar("Kind", bound=Outcome)


async def answered(desk: Desk, merchant_id: str, *departures: Departure, kind: type[Kind]) -> Kind:
    """What the browser of these departures sees when a merchant agreed at the first one's address."""
    return await seen(desk, desk.answer(departures[0], merchant_id, with_state=False), *departures, kind=kind)


async def seen(desk: Desk, callback: Callback, *departures: Departure, kind: type[Kind]) -> Kind:
    outcome = await desk.callbacks.arrive(callback, [departure.cookie for departure in departures])
    assert isinstance(outcome, kind), outcome
    return outcome


async def said_yes(desk: Desk, asked: Question, *departures: Departure, ref: str = "") -> Outcome:
    cookies = [departure.cookie for departure in departures]
    return await desk.callbacks.confirm(asked.callback_id, ref or departures[0].ref, cookies)


async def is_untouched(desk: Desk, draft: Integration) -> bool:
    now = await desk.read(draft.id)
    return (now.status, now.access_token_last4, now.merchant_id) == (Status.DRAFT, None, None)
