"""`channel-sync demo`: what a newcomer meets, twice, and what is left behind."""

import base64
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest


@dataclass
class Demo:
    """A running demo: its process, its addresses and the key it printed."""

    process: subprocess.Popen[str]
    url: str
    wish: str
    key: str

    def api(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=20)

    def stop(self, number: int = signal.SIGTERM) -> int:
        with self.process:
            self.process.send_signal(number)
            return self.process.wait(30)


def start(folder: Path, *arguments: str, **settings: str) -> Demo:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CHANNEL_SYNC_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "channel_sync", "demo", *arguments],
        cwd=folder,
        env=environment | settings,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    addresses = re.findall(r"http://127\.0\.0\.1:\d+", said)
    return Demo(process, addresses[0], addresses[2], re.findall(r"csk_\S+", said)[0])


def connect(demo: Demo) -> str:
    """Connect the demo shop as a seller would, with a browser's requests; the integration's id."""
    with demo.api() as api, httpx.Client(timeout=20) as browser:
        redirect_url = api.get("/channels").json()["items"][0]["redirect_url"]
        browser.post(f"{demo.wish}/log-in", data={"login": "demo", "password": "demo"})
        new = {"channel": "wish", "name": "Shop", "default_currency": "USD"}
        draft = api.post("/integrations", json=new).json()
        consent = httpx.URL(browser.post(draft["authorise_url"]).headers["location"])
        allowed = {**consent.params, "decision": "allow"}
        back = browser.post(f"{demo.wish}/v3/oauth/authorize", data=allowed).headers["location"]
        question = dict(re.findall(r'name="(callback|attempt)" value="([^"]+)"', browser.get(back).text))
        yes = {**question, "answer": "connect"}
        page = browser.post(redirect_url, data=yes, headers={"Origin": demo.url}).text
        assert "Connected" in page
    return str(draft["id"])


def orders_of(demo: Demo, at_least: int) -> int:
    """How many orders there are, as soon as there are that many."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with demo.api() as api:
            count = len(api.get("/orders", params={"limit": 200}).json()["items"])
        if count >= at_least:
            return count
        time.sleep(0.3)
    raise AssertionError("the orders did not come")


def is_gone(url: str) -> bool:
    for _ in range(100):
        try:
            httpx.get(url, timeout=5)
        except httpx.HTTPError:
            return True
        time.sleep(0.1)
    return False


def test_a_demo_goes_on_where_it_was(tmp_path):
    first = start(tmp_path)
    try:
        integration_id = connect(first)
        before = orders_of(first, at_least=25)
    finally:
        code = first.stop()
    wish_ended = is_gone(first.wish)
    second = start(tmp_path)
    try:
        with second.api() as api:
            verified = api.post(f"/integrations/{integration_id}/verify").json()
        after = orders_of(second, at_least=25)
    finally:
        second.stop(signal.SIGINT)

    assert (code, wish_ended) == (0, True)
    assert second.key == first.key
    assert verified["ok"]
    assert after == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_the_simulated_wish_ends_with_a_killed_demo(tmp_path):
    demo = start(tmp_path)

    demo.stop(signal.SIGKILL)

    assert is_gone(demo.wish)


def test_its_secrets_can_be_read_by_their_owner_only(tmp_path):
    demo = start(tmp_path)
    demo.stop()

    folder = tmp_path / "var" / "demo"
    private = [folder / "api-key", *(folder / "secrets").iterdir()]
    assert len(private) == 2
    assert {file.stat().st_mode & 0o777 for file in private} == {0o600}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def test_it_listens_where_it_is_told_to(tmp_path):
    port = free_port()
    demo = start(tmp_path, "--port", str(port))
    try:
        refused = subprocess.run(
            [sys.executable, "-m", "channel_sync", "demo", "--port", str(port)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        demo.stop()

    assert demo.url == f"http://127.0.0.1:{port}"
    assert (refused.returncode, refused.stderr) == (1, f"channel-sync: 127.0.0.1:{port} is in use\n")


def test_settings_of_the_environment_count(tmp_path):
    database, keys = tmp_path / "mine.db", f"mine:{base64.b64encode(os.urandom(32)).decode()}"
    settings = {
        "CHANNEL_SYNC_DATABASE_URL": f"sqlite:///{database}",
        "CHANNEL_SYNC_ENCRYPTION_KEYS": keys,
        "CHANNEL_SYNC_PUBLIC_URL": "https://sync.example",
        "CHANNEL_SYNC_DOCS": "off",
    }
    demo = start(tmp_path, **settings)
    try:
        with demo.api() as api:
            redirect_url = api.get("/channels").json()["items"][0]["redirect_url"]
            documented = api.get("/openapi.json").status_code
    finally:
        demo.stop()

    assert redirect_url == "https://sync.example/wish/callback"
    assert documented == 404
    assert database.exists()
    assert not (tmp_path / "var" / "demo" / "channel-sync.db").exists()
