"""Where an order is, for whoever is asked for it."""

from typing import Annotated

from fastapi import APIRouter, Path
from typing_extensions import TypedDict

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import Timestamp, optional_timestamp, timestamp
from channel_sync.api.http.problems import NextAction
from channel_sync.api.http.services import CurrentServices
from channel_sync.domain.addresses import PublicAddress
from channel_sync.domain.explanations import Evidence, Explanation, Finding, Remedy, Verdict

router = APIRouter(tags=["orders"], route_class=StrictRoute)


class EvidenceView(TypedDict):
    """One thing that is known. `at` is its moment and `id` that of what it is about, where there are any."""

    finding: Finding
    text: str
    at: Timestamp | None
    id: str | None


class ExplanationView(TypedDict):
    """What became of an order, in one sentence, and what it rests on.

    `advice` and `next_action` are what brings the order, where something does. With a backfill `backfill_from` is
    its `from`.
    """

    verdict: Verdict
    sentence: str
    evidence: list[EvidenceView]
    advice: str | None
    next_action: NextAction | None
    backfill_from: Timestamp | None


@router.get(
    "/integrations/{integration_id}/orders/{channel_order_id}/explain",
    summary="Explain where an order is",
    dependencies=[requires("orders:read")],
)
async def explain_order(
    integration_id: str,
    channel_order_id: Annotated[str, Path(max_length=200)],
    caller: CurrentCaller,
    services: CurrentServices,
) -> ExplanationView:
    """Asks our own rows and then, with one call, the marketplace; if that gives no answer, the evidence says so.

    `stored`, `erased` and `held` orders are ours. One that is `not_fetched` comes with the next look; one that is
    `missed` or from `before_orders_from` comes with a backfill only. `not_at_channel`: the shop has none of this
    id. `unknown`: we have none, and the marketplace could not be asked.
    """
    found = await services.explain_order.run(caller.tenant, integration_id, channel_order_id)
    return {
        "verdict": found.verdict,
        "sentence": found.sentence,
        "evidence": [_evidence_view(one) for one in found.evidence],
        "advice": found.advice,
        "next_action": _next_action(found, integration_id, services.settings.address),
        "backfill_from": optional_timestamp(found.backfill_from),
    }


def _evidence_view(evidence: Evidence) -> EvidenceView:
    at = None if evidence.at is None else timestamp(evidence.at)
    return {"finding": evidence.finding, "text": evidence.text, "at": at, "id": evidence.id}


def _next_action(found: Explanation, integration_id: str, address: PublicAddress) -> NextAction | None:
    integration = f"/integrations/{integration_id}"
    match found.remedy:
        case Remedy.BACKFILL:
            return {"method": "POST", "href": address.href(f"{integration}/runs"), "members": ["kind", "from"]}
        case Remedy.WAIT:
            return {"method": "POST", "href": address.href(f"{integration}/runs"), "members": ["kind"]}
        case Remedy.REPLAY:
            held = next(one.id for one in found.evidence if one.finding is Finding.HELD)
            return {"method": "POST", "href": address.href(f"/orders/held/{held}/replay")}
        case Remedy.MEND_INTEGRATION:
            return {"method": "GET", "href": address.href(f"{integration}/status")}
        case Remedy.ASK_AGAIN | Remedy.CHECK_ID | None:
            return None
