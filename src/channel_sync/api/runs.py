"""Operations on runs: start one, read its history and calls, stop it."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import (
    optional_timestamp,
    timestamp,
)
from channel_sync.api.http.idempotency import IDEMPOTENT, IdempotentRoute
from channel_sync.api.http.paging import Cursors, Paging
from channel_sync.api.http.problems import NextAction
from channel_sync.api.http.services import CurrentServices
from channel_sync.api.run_schemas import (
    CallPage,
    CallView,
    CountsView,
    EstimateView,
    RunErrorView,
    RunFilters,
    RunInput,
    RunPageView,
    RunView,
    StartedRunView,
)
from channel_sync.api.stock_view import rules_view
from channel_sync.domain.addresses import PublicAddress
from channel_sync.domain.brakes import STOCK_BRAKED
from channel_sync.domain.calls import Call
from channel_sync.domain.errors import Invalid
from channel_sync.domain.listings import PushState
from channel_sync.domain.orders import OrderEstimate
from channel_sync.domain.runs import Counts, Run, RunError, RunKind, RunRequest, Trigger
from channel_sync.persistence.runs import RunQuery

router = APIRouter(tags=["runs"], route_class=StrictRoute)
idempotent = APIRouter(tags=["runs"], route_class=IdempotentRoute)

_RETRIED = {"failed": PushState.REJECTED, "drifted": PushState.DRIFTED}
READ = requires("runs:read")
WRITE = requires("runs:write")


@idempotent.post(
    "/integrations/{integration_id}/runs",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Run something now",
    dependencies=[WRITE, IDEMPOTENT],
    responses={
        200: {
            "model": StartedRunView,
            "description": "One of the kind, or aside one of the same window, is open; this is that one.",
        },
        409: {
            "description": "`integration_disabled`, or it is not connected; `too_many_backfills` are open already."
        },
    },
)
async def start_run(
    integration_id: str,
    given: RunInput,
    caller: CurrentCaller,
    services: CurrentServices,
    response: Response,
) -> StartedRunView:
    """The queued run. Read it at `Location` until its status is `finished`."""
    backfill = given.from_ is not None or given.to is not None
    request = RunRequest(
        integration_id=integration_id,
        kind=given.kind,
        trigger=Trigger.BACKFILL if backfill else Trigger.MANUAL,
        window_from=given.from_,
        window_to=given.to,
        dry_run=given.dry_run,
        rules=None if given.rules is None else given.rules.rules(),
    )
    await _retry(integration_id, given, caller, services)
    run, deduplicated = await services.runs.request(caller.tenant, request)
    address = services.settings.address
    response.headers["Location"] = address.href(f"/runs/{run.id}")
    if deduplicated:
        response.status_code = status.HTTP_200_OK
    return {**run_view(run, address), "deduplicated": deduplicated}


@router.get("/runs", summary="List runs", dependencies=[READ])
async def list_runs(
    asked: Annotated[RunFilters, Query()], caller: CurrentCaller, services: CurrentServices
) -> RunPageView:
    """The tenant's runs, newest first."""
    cursors = Cursors("runs", caller.tenant, asked.filters(), (str,))
    query = RunQuery(integration_id=asked.integration_id, kind=asked.kind, status=asked.status)
    async with services.database.read() as work:
        page = await work.runs.list(caller.tenant, query, cursors.request(asked))
    return {
        "items": [run_view(run, services.settings.address) for run in page.items],
        "next_cursor": cursors.write(page.next),
    }


@router.get("/runs/{run_id}", summary="Show a run", dependencies=[READ])
async def get_run(run_id: str, caller: CurrentCaller, services: CurrentServices) -> RunView:
    """One run with its counts and, if it failed, why."""
    async with services.database.read() as work:
        return run_view(await work.runs.get(caller.tenant, run_id), services.settings.address)


@router.get("/runs/{run_id}/calls", summary="List a run's calls to the marketplace", dependencies=[READ])
async def list_run_calls(run_id: str, asked: Paging, caller: CurrentCaller, services: CurrentServices) -> CallPage:
    """The calls in the order they were made, with the marketplace's request ids for its support."""
    cursors = Cursors("calls", caller.tenant, {"run_id": run_id}, (int,))
    async with services.database.read() as work:
        await work.runs.get(caller.tenant, run_id)
        page = await work.runs.calls(caller.tenant, run_id, cursors.request(asked))
    return {"items": [call_view(call) for call in page.items], "next_cursor": cursors.write(page.next)}


@idempotent.post("/runs/{run_id}/cancel", summary="Stop a run", dependencies=[WRITE, IDEMPOTENT])
async def cancel_run(run_id: str, caller: CurrentCaller, services: CurrentServices) -> RunView:
    """The run. It stops at the next page; what is stored stays. A run that has ended stays as it is."""
    return run_view(await services.runs.cancel(caller.tenant, run_id), services.settings.address)


async def _retry(integration_id: str, given: RunInput, caller: CurrentCaller, services: CurrentServices) -> None:
    """Let what was refused, or drifted, wait again; any run of stock sends it, this one or one that is open."""
    members = {"only": given.only, "push_code": given.push_code}
    for member in [member for member, value in members.items() if value is not None]:
        if given.kind is not RunKind.STOCK or given.dry_run or given.only is None:
            raise Invalid("not_for_this_kind", f"Only a run of stock that sends takes {member}.", f"/{member}")
    if given.only == "drifted" and given.push_code is not None:
        raise Invalid("not_for_this_kind", "Only what failed has a code of the marketplace.", "/push_code")
    if given.only is not None:
        await services.put_stock.retry(caller.tenant, integration_id, _RETRIED[given.only], given.push_code)


def run_view(run: Run, address: PublicAddress) -> RunView:
    """A run as it is shown."""
    return {
        "id": run.id,
        "integration_id": run.integration_id,
        "kind": run.kind,
        "trigger": run.trigger,
        "status": run.status,
        "outcome": run.outcome,
        "counts": counts_view(run.counts),
        "missing_found": run.missing_found,
        "error": None if run.error is None else _error_view(run.error, run.integration_id, address),
        "window_from": optional_timestamp(run.window_from),
        "window_to": optional_timestamp(run.window_to),
        "walked_to": optional_timestamp(run.walked_to),
        "estimate": None if run.estimate is None else _estimate_view(run.estimate),
        "dry_run": run.dry_run,
        "rules": None if run.rules is None else rules_view(run.rules),
        "cancel_requested": run.cancel_requested,
        "repeats": run.repeats,
        "created_at": timestamp(run.created_at),
        "started_at": optional_timestamp(run.started_at),
        "finished_at": optional_timestamp(run.finished_at),
    }


def _estimate_view(estimate: OrderEstimate) -> EstimateView:
    return {"orders": estimate.orders, "calls": estimate.calls}


def counts_view(counts: Counts) -> CountsView:
    """What a run looked at as it is shown."""
    return {
        "seen": counts.seen,
        "created": counts.created,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "held": counts.held,
        "ignored": counts.ignored,
        "failed": counts.failed,
    }


def _error_view(error: RunError, integration_id: str, address: PublicAddress) -> RunErrorView:
    helps: NextAction | None = None
    if error.code == STOCK_BRAKED:
        href = address.href(f"/integrations/{integration_id}/stock/brake")
        helps = {"method": "POST", "href": href, "members": ["release"]}
    elif error.kind == "auth":
        # A closed account is opened again at the marketplace; then a verification ends the pause.
        step = "verify" if error.code == "account_disabled" else "reauthorise"
        helps = {"method": "POST", "href": address.href(f"/integrations/{integration_id}/{step}")}
    return {
        "code": error.code,
        "class": error.kind,
        "origin": error.origin,
        "retryable": error.retryable,
        "message": error.message,
        "retry_at": optional_timestamp(error.retry_at),
        "next_action": helps,
    }


def call_view(call: Call) -> CallView:
    """A call as it is shown."""
    return {
        "at": timestamp(call.at),
        "method": call.method,
        "path": call.path,
        "status": call.status,
        "code": call.code,
        "duration_ms": call.duration_ms,
        "channel_request_id": call.channel_request_id,
    }
