"""What may be seen in the log, and what may not."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
import structlog

from channel_sync.observability import configure_logging


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The log of the test; the process's own logging is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hook = sys.excepthook
    stream = io.StringIO()
    configure_logging("debug", stream)
    yield stream
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    logging.getLogger("channel_sync").setLevel(logging.NOTSET)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def lines(log: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_an_event_is_one_line_with_its_facts_and_its_request(log):
    with structlog.contextvars.bound_contextvars(request_id="req_1"):
        structlog.get_logger("channel_sync.jobs").info("run.finished", run_id="run_1", stored=3)

    (line,) = lines(log)
    assert line["event"] == "run.finished"
    assert line["run_id"] == "run_1"
    assert line["stored"] == 3
    assert line["request_id"] == "req_1"
    assert line["level"] == "info"
    assert str(line["at"]).endswith("Z")


def test_a_level_that_a_server_was_given_does_not_hide_its_errors(log):
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    configure_logging("info", log)
    logging.getLogger("uvicorn.error").error("broke")
    assert [line["event"] for line in lines(log)] == ["broke"]


def test_other_libraries_events_have_the_same_shape(log):
    with structlog.contextvars.bound_contextvars(request_id="req_2"):
        logging.getLogger("uvicorn.error").warning("Started on %s", "port 1")

    (line,) = lines(log)
    assert line["event"] == "Started on port 1"
    assert line["request_id"] == "req_2"
    assert line["logger"] == "uvicorn.error"


@pytest.mark.parametrize(
    "text",
    [
        "GET /wish/callback?code=CANARY&state=CANARY HTTP/1.1",
        "Authorization: Bearer CANARY",
        "key csk_a-_CANARY0000 was used",
        "client_secret=CANARY&refresh_token=CANARY",
        "{'access_token': 'CANARY', \"refresh_token\": \"CANARY\"}",
        "https://merchant.example/api/v3/oauth/access_token?grant_type=x&client_secret=CANARY",
        "back to https://app.example/done?next=%2Fwish%3Fticket%3DCANARY",
        "postgresql://service:CANARY@database:5432/sync",
        "/wish/authorise?ticket=CANARY",
        "return_url%3Fcode%3DCANARY",
        "/welcome?channel=wish&claim=CANARY",
    ],
)
def test_a_secret_in_any_text_is_masked(log, text):
    structlog.get_logger().info(text, note=text, nested={"list": [text]})
    logging.getLogger("somebody").warning("says %s", text)

    assert "CANARY" not in log.getvalue()
    assert len(lines(log)) == 2


@pytest.mark.parametrize(
    "name",
    [
        "client_secret",
        "access_token",
        "refresh_token",
        "authorization",
        "cookie",
        "api_key",
        "code_verifier",
        "token",
        "claim",
    ],
)
def test_a_value_with_a_secrets_name_is_masked(log, name):
    structlog.get_logger().info("kept", **{name: "CANARY", "headers": {name.upper(): ["CANARY"]}})

    assert "CANARY" not in log.getvalue()
    assert lines(log)[0][name] == "***"


def test_a_secret_in_an_exception_is_masked(log):
    try:
        raise ValueError("GET https://merchant.example/token?client_secret=CANARY failed")
    except ValueError:
        structlog.get_logger().exception("call.failed")
        logging.getLogger("somebody").exception("call failed")

    assert "CANARY" not in log.getvalue()
    assert all("ValueError" in str(line["exception"]) for line in lines(log))


def test_ids_states_and_codes_stay_readable(log):
    structlog.get_logger().info(
        "order.held", state="shipped", code="bad_money", token_set=True, path="/orders/ord_1"
    )

    (line,) = lines(log)
    assert (line["state"], line["code"], line["token_set"]) == ("shipped", "bad_money", True)
    assert line["path"] == "/orders/ord_1"


@pytest.mark.parametrize("end", ["\r\n", "\n", "\x1b[2K", "\u2028", "\x85", "\x0b"])
def test_nothing_in_a_value_can_forge_a_line(log, end):
    forged = f'Shop{end}{{"event": "integration.removed", "level": "info"}}'

    structlog.get_logger().info("integration.created", name=forged)
    logging.getLogger("somebody").warning("renamed to %s", forged)

    written = log.getvalue()
    assert [line["event"] for line in lines(log)] == ["integration.created", f"renamed to {forged}"]
    assert written.isascii()
    assert "\x1b" not in written


def test_only_our_own_debugging_is_logged(log):
    logging.getLogger("channel_sync.flows").debug("ours")
    logging.getLogger("driver").debug("execute %s", "CANARY")

    assert [line["event"] for line in lines(log)] == ["ours"]


async def test_the_addresses_of_outgoing_calls_are_not_logged(log):
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    async with httpx.AsyncClient(transport=transport) as client:
        await client.get("https://merchant.example/token", params={"odd_name": "CANARY"})

    assert "merchant.example" not in log.getvalue()
    assert "CANARY" not in log.getvalue()


def test_a_crash_is_one_line_without_secrets():
    crash = "raise RuntimeError('https://h/?client_secret=CANARY')"
    script = f"from channel_sync.observability import configure_logging\nconfigure_logging('info')\n{crash}"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["event"] == "crashed"
    assert "client_secret=CANARY" not in json.loads(line)["exception"].splitlines()[-1]
