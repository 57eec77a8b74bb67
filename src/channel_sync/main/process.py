"""What a process of the service needs from its machine: signals, a socket, a lock on an SQLite file."""

import errno
import fcntl
import os
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

# Connections to databases and marketplaces, and what a process opens for itself.
_OWN_FILES = 500


class CannotStart(Exception):
    """The process cannot do its work. The message is one line for the operator; exit with 1."""


def exit_cleanly_when_asked() -> None:
    """From now on SIGTERM and Ctrl-C end this process with exit code 0, also while it is starting."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)


def _exit(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address, to any free port where `port` is 0; `CannotStart` if it is taken."""
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        reason = "is in use" if error.errno == errno.EADDRINUSE else "cannot be listened on"
        raise CannotStart(f"{host}:{port} {reason}") from error
    # asyncio sets this only on sockets that name their protocol; without it every answer waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def allow_open_files(connections: int) -> None:
    """Let this process have so many connections open beside its own files, as far as the system permits it."""
    wanted, (soft, hard) = connections + _OWN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def address_of(listener: socket.socket) -> str:
    """The base address that the socket answers at."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def only_process(database: Path) -> Iterator[None]:
    """While it lasts no other process serves this SQLite file; the kernel lets go when the process dies."""
    if not database.exists():
        raise CannotStart(f"there is no database {database}; run: channel-sync migrate")
    with os.fdopen(os.open(f"{database}.lock", os.O_CREAT | os.O_WRONLY, 0o600)) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"another process already serves {database}") from None
        yield
