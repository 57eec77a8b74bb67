"""Health: whether the process lives, and whether it may be sent requests."""

import asyncio
from typing import Literal

from fastapi import APIRouter, Response, status
from typing_extensions import TypedDict

from channel_sync.api.http.services import CurrentVitals, Vitals
from channel_sync.domain.errors import ChannelSyncError

router = APIRouter(tags=["health"])

# Longer than a busy database takes, shorter than a probe waits.
ANSWER_WITHIN_S = 2.0


class LiveView(TypedDict):
    """Whether the loops make progress."""

    status: Literal["ok", "stalled"]


class ReadyView(TypedDict):
    """Whether requests can be served; `reason` says why not."""

    status: Literal["ok", "not_ready"]
    reason: Literal["draining", "database_away", "schema_outdated"] | None


@router.get(
    "/health/live",
    summary="Tell whether the process makes progress",
    responses={503: {"model": LiveView, "description": "The jobs stand still: restart the process."}},
)
async def check_liveness(vitals: CurrentVitals, response: Response) -> LiveView:
    """200 while the event loop turns and the jobs make progress."""
    if vitals.health.alive():
        return {"status": "ok"}
    response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return {"status": "stalled"}


@router.get(
    "/health/ready",
    summary="Tell whether requests can be served",
    responses={503: {"model": ReadyView, "description": "Send requests elsewhere for now."}},
)
async def check_readiness(vitals: CurrentVitals, response: Response) -> ReadyView:
    """200 while the database answers, its schema is not older than needed, and the process is to go on."""
    reason = await _reason(vitals)
    if reason is None:
        return {"status": "ok", "reason": None}
    response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return {"status": "not_ready", "reason": reason}


async def _reason(vitals: Vitals) -> Literal["draining", "database_away", "schema_outdated"] | None:
    if vitals.health.draining:
        return "draining"
    try:
        # The query itself is never cancelled: a cancelled one would leave its connection in an unknown state.
        asked = asyncio.ensure_future(vitals.database.schema_version())
        asked.add_done_callback(_heard)
        version = await asyncio.wait_for(asyncio.shield(asked), ANSWER_WITHIN_S)
    except (ChannelSyncError, TimeoutError):
        return "database_away"
    return "schema_outdated" if version is None or version in vitals.outdated_schemas else None


def _heard(asked: "asyncio.Future[str | None]") -> None:
    """What nobody waits for any more is no news for the log."""
    if not asked.cancelled():
        asked.exception()
