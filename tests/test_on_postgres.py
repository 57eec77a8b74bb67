"""The service's processes on PostgreSQL, as an operator meets them."""

import json
import socket
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import asyncpg
import httpx
import pytest
from sqlalchemy.engine import make_url
from tests.jobs.waiting import until
from tests.live_shop import connect, new_shop, wait_for_run
from tests.postgres import postgres_cluster
from tests.processes import Deployment, ServerProcess, api, refusal, simulated_wish, wait_until


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
    deployment.from_scratch = True

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


def wrong(address: str, part: str) -> str:
    """The address with a part of it that leads nowhere."""
    url = make_url(address)
    nowhere = {
        "host": url.update_query_dict({"host": "/nowhere"}),
        "database": url.set(database="no_such_database"),
        "user": url.set(username="no_such_user"),
    }
    return nowhere[part].render_as_string(hide_password=False)


DATABASE, QUEUE = "CHANNEL_SYNC_DATABASE_URL", "CHANNEL_SYNC_QUEUE_DATABASE_URL"


@pytest.mark.parametrize(
    ("part", "reason"), [("host", "cannot be reached"), ("database", "refuses"), ("user", "refuses")]
)
@pytest.mark.parametrize(
    ("setting", "command"),
    [(DATABASE, "migrate"), (DATABASE, "serve"), (DATABASE, "worker"), (QUEUE, "worker")],
)
def test_an_address_that_leads_nowhere_is_named_in_one_line(
    deployment: Deployment, app_url: str, setting: str, command: str, part: str, reason: str
):
    said = refusal(deployment, command, **{setting: wrong(app_url, part)})

    assert said.startswith(f"channel-sync: {setting}: ")
    assert reason in said
    assert "no_such" not in said


def health(worker: ServerProcess) -> dict[str, tuple[int, str]]:
    """What a worker tells of itself: the status, and the word in its answer."""
    live, ready = (httpx.get(f"{worker.url}/health/{name}") for name in ("live", "ready"))
    said = ready.json()
    return {
        "live": (live.status_code, live.json()["status"]),
        "ready": (ready.status_code, said["reason"] or said["status"]),
    }


WELL = {"live": (200, "ok"), "ready": (200, "ok")}


def test_a_worker_tells_whether_it_can_work(tmp_path: Path):
    with postgres_cluster() as cluster:
        settings = {"CHANNEL_SYNC_DATABASE_URL": cluster.url("postgres"), "CHANNEL_SYNC_JOBS": "distributed"}
        deployment = Deployment(tmp_path, settings)
        deployment.command("migrate")
        worker = deployment.work_and_tell()
        try:
            before = health(worker)
            cluster.stop("fast")
            away = health(worker)
            cluster.start()
            wait_until(lambda: health(worker) == WELL, "it is not ready again", 0.1)
        finally:
            code = worker.stop()

    assert before == WELL
    assert away == {"live": (200, "ok"), "ready": (503, "database_away")}
    assert code == 0


async def test_a_worker_that_ends_tells_so_until_its_work_is_done(deployment: Deployment, postgres_url: str):
    worker = deployment.work_and_tell()
    somebody = await asyncpg.connect(postgres_url)
    try:
        async with somebody.transaction():
            # What is due is asked for every second, and waits for this.
            await somebody.execute("LOCK TABLE schedules")
            wait_until(lambda: health(worker) == WELL, "it does not work")
            await until(partial(has_somebody_waiting, somebody))
            worker.process.terminate()
            wait_until(lambda: health(worker)["ready"] == (503, "draining"), "it does not say that it ends")
    finally:
        await somebody.close()
        code = worker.stop()

    assert code == 0


async def has_somebody_waiting(connection: asyncpg.Connection) -> bool:
    """Whether a transaction waits for a lock of this one."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    return bool(await connection.fetchval(waiting))


def test_a_worker_refuses_a_port_that_is_taken(deployment: Deployment):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        assert port in refusal(deployment, "worker", "--health-port", port)


def test_a_worker_says_in_one_line_what_a_run_has_done(deployment: Deployment, tmp_path: Path):
    with simulated_wish(tmp_path) as wish, httpx.Client(base_url=wish.url) as controls, ExitStack() as started:
        shop = new_shop(controls)
        shop.add_products(3, variations=1)
        deployment.settings |= {"CHANNEL_SYNC_WISH_SANDBOX_URL": wish.url, "CHANNEL_SYNC_LOG_LEVEL": "info"}
        key = deployment.create_key("admin")
        service, worker = deployment.serve(), deployment.work()
        for process in (service, worker):
            started.callback(process.stop)
        with api(service, key) as client:
            run = wait_for_run(client, connect(client, shop), "listings")

    told = [json.loads(line) for line in worker.log.read_text().splitlines()]
    [line] = [line for line in told if line["event"] == "run" and line["kind"] == "listings"]
    assert (line["run_id"], line["integration_id"], line["tenant"]) == (run["id"], run["integration_id"], "acme")
    assert (line["level"], line["outcome"], line["counts"]) == ("info", "success", {"created": 3})
