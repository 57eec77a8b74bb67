"""The service and the simulated Wish as real processes, for the tests and benchmarks that need the whole."""

import base64
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx

START_S = 30
PATIENCE_S = 30
COMMAND_S = 30


@dataclass
class WorkerProcess:
    """A started process, and its output in a file."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self._wait(None)

    def stop(self, timeout_s: float = 30) -> int:
        """End it as an operator would; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._wait(timeout_s)

    def _wait(self, timeout_s: float | None) -> int:
        code = self.process.wait(timeout_s)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def peak_memory_mb(self) -> float:
        """The most memory that it and the processes it has started have held so far, added up."""
        return sum(_peak_memory_mb(process) for process in (self.process.pid, *children(self.process.pid)))

    def cpu_s(self) -> float:
        """Seconds of processor time that it and the processes it has started have used so far."""
        return sum(_cpu_s(process) for process in (self.process.pid, *children(self.process.pid)))


@dataclass
class ServerProcess(WorkerProcess):
    """A started server, and where it listens."""

    url: str


def _cpu_s(process: int) -> float:
    """Fields 14 and 15 of the process's status are its ticks in user and kernel mode."""
    after_the_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, after_the_name[11:13])) / os.sysconf("SC_CLK_TCK")


def children(process: int) -> list[int]:
    files = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for file in files for child in file.read_text().split()]


def _peak_memory_mb(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index]


def start_server(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> ServerProcess:
    """Start `python -m …` and wait until it prints where it listens."""
    process, url = _start(arguments, environment, log, r"listening on (http://\S+)")
    return ServerProcess(process, log, url)


def _start(
    arguments: Sequence[str], environment: Mapping[str, str], log: Path, sign: str
) -> tuple[subprocess.Popen[bytes], str]:
    """The process, and what it printed to say that it is ready."""
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **environment},
            cwd=log.parent,
        )
    try:
        return process, _printed(process, log, sign)
    except BaseException:
        process.kill()
        process.wait()
        raise


def _printed(process: subprocess.Popen[bytes], log: Path, sign: str) -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        readable, _, _ = select.select([process.stdout], [], [], 0.2)
        line = process.stdout.readline().decode() if readable else ""
        if found := re.search(sign, line):
            return found[1]
        if process.poll() is not None:
            break
    raise RuntimeError(f"it did not say that it is ready; the log ends with: {log.read_text()[-2000:]}")


@dataclass
class Deployment:
    """A folder with a database and the settings to start the service on it, again and again."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        key = base64.b64encode(os.urandom(32)).decode()
        self.settings = {
            "CHANNEL_SYNC_DATABASE_URL": f"sqlite:///{self.folder}/service.db",
            "CHANNEL_SYNC_ENCRYPTION_KEYS": f"k1:{key}",
            "CHANNEL_SYNC_LOG_LEVEL": "warning",
            "CHANNEL_SYNC_RATE_LIMIT_PER_S": "0",
            **self.settings,
        }

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "service.db"

    def command(self, *arguments: str) -> str:
        """What a command of the service prints."""
        done = run(self, *arguments)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def create_key(self, *scopes: str) -> str:
        """A new API key of the tenant `acme`."""
        wanted = ",".join(scopes or ("admin",))
        printed = self.command("keys", "create", "--tenant", "acme", "--scopes", wanted)
        return printed.strip().splitlines()[-1]

    def serve(self) -> ServerProcess:
        """The service, started and ready to answer."""
        return start_server(["channel_sync", "serve", "--port", "0"], self.settings, self.folder / "service.log")

    def work(self) -> WorkerProcess:
        """A worker, started and at work."""
        log = self.folder / f"worker-{uuid4().hex}.log"
        return WorkerProcess(_start(["channel_sync", "worker"], self.settings, log, "(working)")[0], log)

    def work_and_tell(self) -> ServerProcess:
        """The same, and where it tells of its health."""
        log = self.folder / f"worker-{uuid4().hex}.log"
        return start_server(["channel_sync", "worker", "--health-port", "0"], self.settings, log)


def run(deployment: Deployment, *arguments: str, **changed: str | None) -> "subprocess.CompletedProcess[str]":
    """A command that ended by itself; a setting changed to None is left out."""
    environment = {**os.environ, **deployment.settings, **changed}
    return subprocess.run(
        [sys.executable, "-m", "channel_sync", *arguments],
        capture_output=True,
        text=True,
        cwd=deployment.folder,
        env={name: value for name, value in environment.items() if value is not None},
        timeout=COMMAND_S,
        check=False,
    )


def refusal(deployment: Deployment, *arguments: str, **changed: str | None) -> str:
    """The one line with which a command refuses."""
    done = run(deployment, *arguments, **changed)
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("channel-sync: ")
    return line


@contextmanager
def simulated_wish(folder: Path, *arguments: str) -> Iterator[ServerProcess]:
    """The simulated Wish as a process of its own, stopped at the end."""
    wish = start_server(["wish_simulator", "--port", "0", *arguments], {}, folder / "wish.log")
    try:
        yield wish
    finally:
        wish.kill()


def api(server: ServerProcess, key: str) -> httpx.Client:
    """A client of the service's API."""
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)


def wait_until(holds: Callable[[], bool], otherwise: str, pause_s: float = 0.005) -> None:
    """Wait for something to become true, for a while."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, otherwise
        if pause_s:
            time.sleep(pause_s)
