"""Everything a newcomer needs on one machine: a database and keys in var/, a tenant, the simulated Wish."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from socket import socket
from typing import NamedTuple

from channel_sync.main.process import CannotStart, listen

FOLDER = Path("var/demo")
TENANT = "demo"
SERVICE_PORT = 8000
WISH_PORT = 8001
_API_KEY = FOLDER / "api-key"
_WISH = FOLDER / "wish.state"
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def prepare_folder(new_keys: str) -> None:
    """The demo's folder with its encryption keys, which are `new_keys` on the first run."""
    (FOLDER / "secrets").mkdir(parents=True, exist_ok=True, mode=0o700)
    keys = FOLDER / "secrets" / "CHANNEL_SYNC_ENCRYPTION_KEYS"
    if not keys.exists():
        _write_private(keys, new_keys)


def kept_key() -> str:
    """The API key of an earlier run, or nothing."""
    return _API_KEY.read_text() if _API_KEY.exists() else ""


def keep_key(key: str) -> None:
    """Keep the API key for the next run."""
    _write_private(_API_KEY, key)


def _write_private(file: Path, text: str) -> None:
    """A whole file, or none, that only its owner can read."""
    unfinished = file.with_suffix(".new")
    with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as written:
        written.write(text)
    unfinished.replace(file)


class SimulatedWish(NamedTuple):
    """Where the simulated Wish is, and the platform's own app there."""

    url: str
    client_id: str
    client_secret: str


def public_url(service_url: str) -> str:
    """What browsers see of the service."""
    return os.environ.get("CHANNEL_SYNC_PUBLIC_URL") or service_url


def set_environment(service_url: str, wish: SimulatedWish) -> None:
    """Point the settings at the demo, all but those that the environment has already."""
    of_the_demo = {
        "CHANNEL_SYNC_LOG_LEVEL": "error",
        "CHANNEL_SYNC_SECRETS_DIR": str(FOLDER / "secrets"),
        "CHANNEL_SYNC_DATABASE_URL": f"sqlite:///{FOLDER}/channel-sync.db",
        "CHANNEL_SYNC_PUBLIC_URL": service_url,
        "CHANNEL_SYNC_RETURN_ORIGINS": service_url,
        "CHANNEL_SYNC_WISH_PRODUCTION_URL": wish.url,
        "CHANNEL_SYNC_WISH_SANDBOX_URL": wish.url,
        "CHANNEL_SYNC_WISH_APP_CLIENT_ID": wish.client_id,
        "CHANNEL_SYNC_WISH_APP_CLIENT_SECRET": wish.client_secret,
    }
    for name, value in of_the_demo.items():
        os.environ[name] = os.environ.get(name) or value


def listener(port: int | None) -> socket:
    """A socket at that port; without one at the demo's usual port, or at another where that is taken."""
    try:
        return listen("127.0.0.1", SERVICE_PORT if port is None else port)
    except CannotStart:
        if port is not None:
            raise
        return listen("127.0.0.1", 0)


def check_checkout() -> None:
    """`CannotStart` where there is no simulated Wish: it is no part of what is installed elsewhere."""
    if find_spec("wish_simulator") is None:
        raise CannotStart("the demo needs the simulated Wish, which only a checkout has; there: make run")


@contextmanager
def simulated_wish(public_url: str) -> Iterator[SimulatedWish]:
    """A simulated Wish with a demo shop; it ends with the block, and with this process."""
    with ExitStack() as started:
        for port in (WISH_PORT, 0):
            process = started.enter_context(_simulator(port, public_url))
            if url := _said(process, "listening on "):
                client_id, _, client_secret = _said(process, "public app ").partition(" ")
                yield SimulatedWish(url, client_id, client_secret)
                return
    raise CannotStart("the simulated Wish did not start")


@contextmanager
def _simulator(port: int, public_url: str) -> Iterator[subprocess.Popen[str]]:
    of_the_demo = ("--seed", "demo", "--state", str(_WISH), "--public-app", f"{public_url}/wish/callback")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CHANNEL_SYNC_")}
    with subprocess.Popen(
        [sys.executable, "-m", "wish_simulator", "--port", str(port), *of_the_demo],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
        # Ctrl-C reaches the whole terminal group: the service must come to its end with Wish still there.
        start_new_session=True,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM)


def _said(process: subprocess.Popen[str], about: str) -> str:
    """The next thing that it says, or nothing if it ended instead."""
    assert process.stdout is not None
    return process.stdout.readline().removeprefix(about).strip()


def greeting(service_url: str, wish: SimulatedWish, key: str) -> str:
    """What a newcomer reads first."""
    return f"""
  channel-sync        {service_url}/docs
  the simulated Wish  {wish.url}   log in there as demo, password demo
  your API key        {key}

  To begin with:

  export KEY={key}
  curl -s -H "Authorization: Bearer $KEY" {service_url}/channels
  curl -s -H "Authorization: Bearer $KEY" {service_url}/integrations

  The README goes on from here. Ctrl-C stops everything; what was stored stays in {FOLDER}/.
"""
