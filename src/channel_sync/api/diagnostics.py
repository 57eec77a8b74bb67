"""Everything about an integration that support asks for, in one answer that may be shown to anybody.

No names, whether of people, shops or keys; of errors the codes without the marketplace's words, which may name
people; of credentials nothing but whether and until when they are good.
"""

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter
from typing_extensions import TypedDict

from channel_sync.api.contract.words import API_VERSION
from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import Timestamp, optional_timestamp, timestamp
from channel_sync.api.http.problems import NextAction
from channel_sync.api.http.services import CurrentServices, Services
from channel_sync.api.integration_schemas import (
    AuthorisationView,
    CountsView,
    FreshnessView,
    IncidentView,
    SettingsView,
    StatusReasonView,
)
from channel_sync.api.integration_view import Progress, integration_view, progress_of
from channel_sync.api.run_facts import RunFactsView, run_facts
from channel_sync.api.run_schemas import CallView
from channel_sync.api.runs import call_view
from channel_sync.domain.channel import Environment
from channel_sync.domain.clock import utcnow
from channel_sync.domain.integrations import AuthState, Integration, Status
from channel_sync.domain.runs import RunKind
from channel_sync.persistence.runs import RunQuery
from channel_sync.persistence.schedules import Schedule
from channel_sync.persistence.sql.paging import PageRequest

router = APIRouter(tags=["integrations"], route_class=StrictRoute)

_RUNS = 10
_FAILURES = 5
_CALLS = 25
# Of a shop that is in order nobody looks through all of its history for failures.
_LOOKED_THROUGH = 500


class JobFactsView(TypedDict):
    """When a job of the integration is due, and how it went.

    `seen_until` is of orders: up to when the marketplace has shown us every change.
    """

    kind: RunKind
    next_at: Timestamp | None
    last_attempt_at: Timestamp | None
    last_success_at: Timestamp | None
    seen_until: Timestamp | None
    failures: int
    last_error_code: str | None


class CallFactsView(CallView):
    """One call to the marketplace, and the run that made it."""

    run_id: str


class DiagnosticsView(TypedDict):
    """What support needs to know of an integration: no secret, nothing personal, no words that people chose.

    `runs` are the last 10, `failures` the last 5 of the last 500 that failed, `calls` the last 25 of `runs`;
    the newest of each come first.
    """

    generated_at: Timestamp
    contract_version: str
    id: str
    channel: str
    environment: Environment
    status: Status
    status_reason: StatusReasonView | None
    status_since: Timestamp
    enabled: bool
    auth_state: AuthState
    authorise_by: Timestamp | None
    access_token_expires_at: Timestamp | None
    merchant_id: str | None
    scopes: list[str]
    last_authorisation: AuthorisationView | None
    default_currency: str | None
    settings: SettingsView
    freshness: FreshnessView
    counts: CountsView
    incidents: list[IncidentView]
    jobs: list[JobFactsView]
    runs: list[RunFactsView]
    failures: list[RunFactsView]
    calls: list[CallFactsView]
    next_action: NextAction | None
    created_at: Timestamp
    updated_at: Timestamp
    version: int


class _Past(TypedDict):
    jobs: list[JobFactsView]
    runs: list[RunFactsView]
    failures: list[RunFactsView]
    calls: list[CallFactsView]


@router.get(
    "/integrations/{integration_id}/diagnostics",
    summary="Show all that support asks for",
    dependencies=[requires("integrations:read")],
)
async def get_diagnostics(
    integration_id: str, caller: CurrentCaller, services: CurrentServices
) -> DiagnosticsView:
    """Status, backlog, the last runs, errors and calls in one answer; it may be pasted into a ticket as it is."""
    tenant = caller.tenant
    async with services.database.read() as work:
        integration = await work.integrations.get(tenant, integration_id)
        progress = (await progress_of(work, [integration]))[integration.id]
        schedules = (await work.schedules.of([integration.id]))[integration.id]
        runs = (await work.runs.list(tenant, RunQuery(integration.id), PageRequest(_RUNS))).items
        failed = await work.run_log.failed(tenant, integration.id, _FAILURES, _LOOKED_THROUGH)
        calls = await work.run_log.calls([run.id for run in runs], _CALLS)
    past: _Past = {
        "jobs": _jobs(schedules),
        "runs": [run_facts(run) for run in runs],
        "failures": [run_facts(run) for run in failed],
        "calls": [{**call_view(call), "run_id": run_id} for run_id, call in calls],
    }
    return _view(integration, progress, past, services, utcnow())


def _view(
    integration: Integration, progress: Progress, past: _Past, services: Services, now: datetime
) -> DiagnosticsView:
    shown = integration_view(integration, progress, services, now)
    auth = shown["auth"]
    return {
        "generated_at": timestamp(now),
        "contract_version": API_VERSION,
        "id": shown["id"],
        "channel": integration.channel,
        "environment": shown["environment"],
        "status": shown["status"],
        "status_reason": shown["status_reason"],
        "status_since": shown["status_since"],
        "enabled": shown["enabled"],
        "auth_state": auth["state"],
        "authorise_by": auth["authorise_by"],
        "access_token_expires_at": auth["access_token"]["expires_at"],
        "merchant_id": auth["merchant_id"],
        "scopes": auth["scopes"],
        "last_authorisation": shown["last_authorisation"],
        "default_currency": shown["default_currency"],
        "settings": shown["settings"],
        "freshness": shown["freshness"],
        "counts": shown["counts"],
        "incidents": shown["incidents"],
        **past,
        "next_action": shown["next_action"],
        "created_at": shown["created_at"],
        "updated_at": shown["updated_at"],
        "version": shown["version"],
    }


def _jobs(schedules: Mapping[RunKind, Schedule]) -> list[JobFactsView]:
    return [
        {
            "kind": kind,
            "next_at": optional_timestamp(schedule.next_at),
            "last_attempt_at": optional_timestamp(schedule.last_attempt_at),
            "last_success_at": optional_timestamp(schedule.last_success_at),
            "seen_until": optional_timestamp(schedule.seen_until),
            "failures": schedule.failures,
            "last_error_code": schedule.last_error_code,
        }
        for kind, schedule in sorted(schedules.items())
    ]
