"""What a browser does that came back without a state."""

from typing import TypeVar

from tests.connecting import Desk

from channel_sync.domain.integrations import Integration, Status
from channel_sync.flows.connecting.consent import ConsentRedirect
from channel_sync.flows.connecting.outcomes import Callback, Outcome, Question

Kind = TypeVar("Kind", bound=Outcome)


async def answered(desk: Desk, merchant_id: str, *consent_redirects: ConsentRedirect, kind: type[Kind]) -> Kind:
    """What the browser of these consent_redirects sees when a merchant agreed at the first one's address."""
    return await seen(
        desk, desk.answer(consent_redirects[0], merchant_id, with_state=False), *consent_redirects, kind=kind
    )


async def seen(desk: Desk, callback: Callback, *consent_redirects: ConsentRedirect, kind: type[Kind]) -> Kind:
    outcome = await desk.callbacks.arrive(callback, [redirect.cookie for redirect in consent_redirects])
    assert isinstance(outcome, kind), outcome
    return outcome


async def said_yes(desk: Desk, asked: Question, *consent_redirects: ConsentRedirect, ref: str = "") -> Outcome:
    cookies = [redirect.cookie for redirect in consent_redirects]
    return await desk.callbacks.confirm(asked.callback_id, ref or consent_redirects[0].ref, cookies)


async def is_untouched(desk: Desk, draft: Integration) -> bool:
    now = await desk.read(draft.id)
    return (now.status, now.access_token_last4, now.merchant_id) == (Status.DRAFT, None, None)
