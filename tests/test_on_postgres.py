"""The service's processes on PostgreSQL, as an operator meets them."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.processes import Deployment, refusal


@pytest.fixture
def deployment(tmp_path: Path, app_url: str) -> Deployment:
    """Settings for a service and workers on a ready database, as the role that row-level security binds."""
    return Deployment(tmp_path, {"CHANNEL_SYNC_DATABASE_URL": app_url, "CHANNEL_SYNC_JOBS": "distributed"})


def logs_of_both(deployment: Deployment) -> list[list[str]]:
    """What a service and a worker log from their start to their end, event by event."""
    with ExitStack() as started:
        processes = [deployment.serve(), deployment.work()]
        for process in processes:
            started.callback(process.stop)
    return [[json.loads(line)["event"] for line in one.log.read_text().splitlines()] for one in processes]


def test_a_role_that_nothing_binds_is_told_of_once_by_each_process(deployment: Deployment, postgres_url: str):
    deployment.settings["CHANNEL_SYNC_DATABASE_URL"] = postgres_url

    for log in logs_of_both(deployment):
        [line] = log
        assert line.startswith("Row-level security does not bind this PostgreSQL role")


def test_the_role_that_the_page_on_deployment_makes_is_no_matter(deployment: Deployment):
    assert logs_of_both(deployment) == [[], []]


@pytest.mark.parametrize("given", ["CHANNEL_SYNC_DATABASE_URL", "CHANNEL_SYNC_QUEUE_DATABASE_URL"])
def test_a_worker_refuses_to_listen_through_a_pooler(deployment: Deployment, app_url: str, given: str):
    said = refusal(deployment, "worker", **{given: f"{app_url}&pooler=transaction"})

    assert "CHANNEL_SYNC_QUEUE_DATABASE_URL: " in said
    assert "pooler" in said
    assert app_url not in said
