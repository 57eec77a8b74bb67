"""Commands that serve: the service, the demo, and the contract of both."""

import json
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from socket import socket

from channel_sync.cli import demo as demonstration
from channel_sync.cli.admin import create_key, is_known, migrate, new_encryption_key
from channel_sync.http.bounds import ConnectionBounds
from channel_sync.http.server import Server, run_to_the_end, stop_signal
from channel_sync.main.process import address_of, allow_open_files, exit_cleanly_when_asked, listen, only_process
from channel_sync.main.service import contract, running
from channel_sync.main.start import start
from channel_sync.main.store import load_settings, seen_by_browsers, sqlite_file
from channel_sync.main.worker import working


def serve(host: str, port: int) -> None:
    """Answer requests until a signal comes."""
    exit_cleanly_when_asked()
    _serve(lambda: listen(host, port), lambda url: print(f"listening on {url}", flush=True))


def work(health_host: str, health_port: int | None) -> None:
    """Carry out runs from the queue until a signal comes; with a port, tell there how it goes."""
    exit_cleanly_when_asked()
    start()
    with nullcontext() if health_port is None else listen(health_host, health_port) as listener:
        run_to_the_end(_work(listener))


async def _work(listener: socket | None) -> None:
    asked_to_stop = stop_signal()
    async with working(load_settings(), listener):
        if listener is not None:
            print(f"listening on {address_of(listener)}", flush=True)
        print("working", flush=True)
        await asked_to_stop.wait()


def demo(port: int | None) -> None:
    """Make what a newcomer needs, then serve it beside a simulated Wish until a signal comes."""
    exit_cleanly_when_asked()
    demonstration.check_checkout()
    demonstration.prepare_folder(new_encryption_key())
    with ExitStack() as open_things:
        listener = open_things.enter_context(demonstration.listener(port))
        seen = demonstration.public_url(address_of(listener))
        wish = open_things.enter_context(demonstration.simulated_wish(seen))
        demonstration.set_environment(address_of(listener), wish)
        migrate()
        key = _demo_key()

        def greet(url: str) -> None:
            print(f"listening on {url}\n{demonstration.greeting(url, wish, key)}", flush=True)

        _serve(lambda: listener, greet)


def _serve(listening: Callable[[], socket], ready: Callable[[str], None]) -> None:
    """A setting that is wrong is told of before an address that is taken."""
    settings = start()
    allow_open_files(settings.max_connections)
    with ExitStack() as held:
        listener = held.enter_context(listening())
        if database := sqlite_file(settings):
            held.enter_context(only_process(database))
        run_to_the_end(_answer_requests(listener, ready))


async def _answer_requests(listener: socket, ready: Callable[[str], None]) -> None:
    url = address_of(listener)
    settings = load_settings()
    bounds = ConnectionBounds(settings.keep_alive_s, settings.max_connections)
    async with running(settings, seen_by_browsers(settings, url)) as service:
        await Server(service.app, bounds, lambda: ready(url), service.stop_soon).serve(sockets=[listener])


def openapi() -> str:
    """The contract, as JSON text."""
    return json.dumps(contract(), indent=2, ensure_ascii=False) + "\n"


def _demo_key() -> str:
    """The demo tenant's key: the one from its file, made anew where the database does not know it."""
    kept = demonstration.kept_key()
    if kept and is_known(kept):
        return kept
    secret = create_key(demonstration.TENANT, "admin", "demo")[1]
    demonstration.keep_key(secret.value)
    return secret.value
