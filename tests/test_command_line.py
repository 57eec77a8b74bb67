"""The command line as an operator meets it: real processes, their output and their exit codes."""

import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

import httpx
import pytest
from tests.processes import Deployment, ServerProcess, api, refusal, run

ROOT = Path(__file__).parent.parent


@pytest.fixture
def deployment(tmp_path):
    return Deployment(tmp_path)


@pytest.fixture
def migrated(deployment, migrated_file):
    shutil.copy(migrated_file, deployment.database)
    return deployment


def listing(server: ServerProcess, key: str) -> int:
    with api(server, key) as client:
        return client.get("/integrations").status_code


def test_help_names_every_command(deployment):
    shown = run(deployment, "--help").stdout

    assert {"migrate", "serve", "demo", "openapi", "keys", "encryption"} <= set(shown.split())


LOADED = """
import sys
from channel_sync.__main__ import app

app(sys.argv[1:], standalone_mode=False)
print({"fastapi", "sqlalchemy", "httpx"} & set(sys.modules))
"""


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_to_tell_of_itself_it_does_not_load_the_service(option):
    line = [sys.executable, "-c", LOADED, option]

    done = subprocess.run(line, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "set()"


def test_a_new_key_opens_the_api_until_it_is_revoked(migrated):
    printed = run(migrated, "keys", "create", "--tenant", "acme", "--scopes", "integrations:read").stdout
    key_id, key = printed.split()[0], printed.splitlines()[-1]
    server = migrated.serve()
    try:
        before = listing(server, key)
        migrated.command("keys", "revoke", "--tenant", "acme", key_id)
        time.sleep(1)
        after = listing(server, key)
    finally:
        server.kill()

    assert re.fullmatch(r"csk_[\w-]{32,}", key)
    assert (before, after) == (200, 401)


def test_a_listed_key_does_not_show_itself(migrated):
    key = migrated.create_key("orders:read")

    shown = migrated.command("keys", "list", "--tenant", "acme")

    assert key not in shown
    assert key[-4:] in shown
    assert "orders:read" in shown
    assert key.encode() not in migrated.database.read_bytes()


def test_a_preset_gives_its_scopes(migrated):
    printed = migrated.command("keys", "create", "--tenant", "acme", "--scopes", "support")

    assert "runs:write" in printed
    assert "pii:read" not in printed


def test_a_key_with_an_unknown_scope_is_refused(migrated):
    assert "orders:fly" in refusal(migrated, "keys", "create", "--tenant", "acme", "--scopes", "orders:fly")


def test_a_foreign_key_cannot_be_revoked(migrated):
    key_id = migrated.command("keys", "create", "--tenant", "acme", "--scopes", "admin").split()[0]

    refusal(migrated, "keys", "revoke", "--tenant", "other", key_id)

    assert "revoked" not in migrated.command("keys", "list", "--tenant", "acme")


def test_serve_refuses_a_database_that_is_not_there(deployment):
    assert "channel-sync migrate" in refusal(deployment, "serve", "--port", "0")
    assert not deployment.database.exists()


def test_serve_refuses_a_database_without_a_schema(deployment):
    deployment.database.touch()

    assert "channel-sync migrate" in refusal(deployment, "serve", "--port", "0")


def test_serve_refuses_to_start_without_an_encryption_key(migrated):
    assert "CHANNEL_SYNC_ENCRYPTION_KEYS" in refusal(
        migrated, "serve", "--port", "0", CHANNEL_SYNC_ENCRYPTION_KEYS=None
    )


def test_serve_refuses_a_wrong_encryption_key(migrated):
    migrated.create_key("admin")
    before = migrated.database.read_bytes()
    other = f"k1:{base64.b64encode(os.urandom(32)).decode()}"

    said = refusal(migrated, "serve", "--port", "0", CHANNEL_SYNC_ENCRYPTION_KEYS=other)

    assert "encryption" in said
    assert migrated.database.read_bytes() == before


def test_serve_refuses_a_key_that_is_none(migrated):
    said = refusal(migrated, "serve", "--port", "0", CHANNEL_SYNC_ENCRYPTION_KEYS="k1:CANARY")

    assert "CHANNEL_SYNC_ENCRYPTION_KEYS" in said
    assert "CANARY" not in said


def test_serve_refuses_a_wrong_setting(migrated):
    assert "CHANNEL_SYNC_JOBS" in refusal(migrated, "serve", "--port", "0", CHANNEL_SYNC_JOBS="sometimes")


def test_workers_need_postgres_and_a_queue(migrated):
    distributed = {"CHANNEL_SYNC_JOBS": "distributed"}

    assert "PostgreSQL" in refusal(migrated, "serve", "--port", "0", **distributed)
    assert "PostgreSQL" in refusal(migrated, "worker", **distributed)
    assert "CHANNEL_SYNC_JOBS" in refusal(migrated, "worker")


def test_serve_refuses_a_taken_port(migrated):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert str(port) in refusal(migrated, "serve", "--port", str(port))


def test_a_second_process_on_one_sqlite_file_is_refused_until_the_first_one_died(migrated):
    first = migrated.serve()
    try:
        said = refusal(migrated, "serve", "--port", "0")
    finally:
        first.kill()
    second = migrated.serve()
    second.kill()

    assert "already" in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_ends_the_service_with_exit_code_0(migrated, number):
    migrated.from_scratch = True
    server = migrated.serve()
    assert httpx.get(f"{server.url}/health/ready").status_code == 200

    server.process.send_signal(number)

    assert server.process.wait(25) == 0


def test_a_request_that_waits_does_not_hold_up_the_end(migrated):
    key = migrated.create_key("events:read")
    server = migrated.serve()
    waiting = Thread(target=wait_for_events, args=(server, key))
    waiting.start()
    time.sleep(0.5)
    code = server.stop(25)
    waiting.join()

    assert code == 0


def wait_for_events(server: ServerProcess, key: str) -> None:
    with api(server, key) as client, suppress(httpx.HTTPError):
        client.get("/events", params={"wait_s": 30}, timeout=60)


def test_the_service_runs_on_postgresql_as_a_role_that_owns_nothing(deployment, postgres_url, app_url):
    deployment.settings["CHANNEL_SYNC_DATABASE_URL"] = postgres_url
    deployment.command("migrate")
    deployment.settings["CHANNEL_SYNC_DATABASE_URL"] = app_url
    key = deployment.create_key("integrations:read")
    server = deployment.serve()
    try:
        ready = httpx.get(f"{server.url}/health/ready").status_code
        listed = listing(server, key)
    finally:
        code = server.stop()

    assert (ready, listed, code) == (200, 200, 0)


def test_a_stop_signal_while_starting_ends_it_cleanly(migrated):
    process = subprocess.Popen(
        [sys.executable, "-m", "channel_sync", "serve", "--port", "0"],
        env={**os.environ, **migrated.settings},
        cwd=migrated.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    time.sleep(1.0)
    process.terminate()
    _, errors = process.communicate(timeout=25)

    assert process.returncode in (0, -signal.SIGTERM)
    assert b"Traceback" not in errors


def test_the_service_does_not_say_what_it_is(migrated):
    server = migrated.serve()
    try:
        headers = httpx.get(f"{server.url}/health/live").headers
    finally:
        server.kill()

    assert "server" not in headers


def test_no_address_with_a_query_reaches_the_log(deployment):
    deployment.settings["CHANNEL_SYNC_LOG_LEVEL"] = "debug"
    deployment.command("migrate")
    server = deployment.serve()
    try:
        httpx.get(f"{server.url}/wish/callback?code=CANARY&state=CANARY&odd=CANARY")
        httpx.get(f"{server.url}/integrations?q=CANARY", headers={"Authorization": "Bearer csk_CANARY"})
    finally:
        server.stop()

    lines = server.log.read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert any(event.get("route") == "/wish/callback" for event in events)
    assert not any("CANARY" in line for line in lines)


def test_migrating_twice_changes_nothing(migrated):
    assert migrated.command("migrate") == migrated.command("migrate")


def test_rotation_moves_everything_under_the_first_key(migrated):
    migrated.create_key("admin")
    old = migrated.settings["CHANNEL_SYNC_ENCRYPTION_KEYS"]
    new = migrated.command("encryption", "new-key").strip()

    migrated.settings["CHANNEL_SYNC_ENCRYPTION_KEYS"] = f"{new},{old}"
    migrated.command("encryption", "rotate")
    migrated.settings["CHANNEL_SYNC_ENCRYPTION_KEYS"] = new

    migrated.serve().kill()
    assert "encryption" in refusal(migrated, "serve", "--port", "0", CHANNEL_SYNC_ENCRYPTION_KEYS=old)


def test_the_contract_is_written_to_a_file_or_to_standard_output(deployment):
    printed = deployment.command("openapi", "--output", "-")
    deployment.command("openapi")

    assert json.loads(printed)["openapi"].startswith("3.")
    assert (deployment.folder / "openapi" / "openapi.json").read_text() == printed
