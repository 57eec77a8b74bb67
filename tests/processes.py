"""The service and the simulated Wish as real processes, for the tests and benchmarks that need the whole."""

import base64
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import httpx
from tests.forks import Fork, Program

Process = subprocess.Popen[bytes] | Fork

START_S = 30
PATIENCE_S = 30
COMMAND_S = 30


@dataclass
class WorkerProcess:
    """A started process, and its output in a file."""

    process: Process
    log: Path

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()

    def stop(self, timeout_s: float = 30) -> int:
        """End it as an operator would; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)

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


def start_server(
    arguments: Sequence[str], environment: Mapping[str, str], log: Path, from_scratch: bool = False
) -> ServerProcess:
    """Start `python -m …` and wait until it prints where it listens."""
    process, url = _start(arguments, environment, log, r"listening on (http://\S+)", from_scratch)
    return ServerProcess(process, log, url)


def _start(
    arguments: Sequence[str], environment: Mapping[str, str], log: Path, sign: str, from_scratch: bool
) -> tuple[Process, str]:
    """The process, and what it printed to say that it is ready."""
    with TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        program = Program(arguments, {**os.environ, **environment}, log.parent, said, log)
        process = _started(program, from_scratch)
        try:
            return process, _printed(process, said, log, sign)
        except BaseException:
            process.kill()
            process.wait()
            raise


def _started(program: Program, from_scratch: bool) -> Process:
    """It on its way, with an interpreter of its own or one that has imported it already."""
    if not from_scratch:
        return Fork(program)
    line = [sys.executable, "-m", *program.words]
    with program.output.open("ab") as output, program.errors.open("ab") as errors:
        return subprocess.Popen(line, stdout=output, stderr=errors, env=program.environment, cwd=program.folder)


def _printed(process: Process, said: Path, log: Path, sign: str) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        has_ended = process.poll() is not None
        if said.exists() and (found := re.search(sign, said.read_text())):
            return found[1]
        if has_ended:
            break
        time.sleep(0.005)
    raise RuntimeError(f"it did not say that it is ready; the log ends with: {log.read_text()[-2000:]}")


@dataclass
class Deployment:
    """A folder with a database and the settings to start the service on it, again and again.

    `from_scratch` gives every process an interpreter of its own: for its start, its memory, another build.
    """

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    from_scratch: bool = False

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
        return self._server("service.log", "serve", "--port", "0")

    def work(self) -> WorkerProcess:
        """A worker, started and at work."""
        log, line = self.folder / f"worker-{uuid4().hex}.log", ["channel_sync", "worker"]
        return WorkerProcess(_start(line, self.settings, log, "(working)", self.from_scratch)[0], log)

    def work_and_tell(self) -> ServerProcess:
        """The same, and where it tells of its health."""
        return self._server(f"worker-{uuid4().hex}.log", "worker", "--health-port", "0")

    def _server(self, log: str, *command: str) -> ServerProcess:
        return start_server(["channel_sync", *command], self.settings, self.folder / log, self.from_scratch)


def run(deployment: Deployment, *arguments: str, **changed: str | None) -> "subprocess.CompletedProcess[str]":
    """A command that ended by itself; a setting changed to None is left out."""
    environment = {**os.environ, **deployment.settings, **changed}
    known = {name: value for name, value in environment.items() if value is not None}
    line = ["channel_sync", *arguments]
    with TemporaryDirectory() as folder:
        output, errors = Path(folder) / "output", Path(folder) / "errors"
        process = _started(Program(line, known, deployment.folder, output, errors), deployment.from_scratch)
        try:
            code = process.wait(COMMAND_S)
        finally:
            process.kill()
        return subprocess.CompletedProcess(line, code, output.read_text(), errors.read_text())


def refusal(deployment: Deployment, *arguments: str, **changed: str | None) -> str:
    """The one line with which a command refuses."""
    done = run(deployment, *arguments, **changed)
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("channel-sync: ")
    return line


@contextmanager
def simulated_wish(folder: Path, *arguments: str, from_scratch: bool = False) -> Iterator[ServerProcess]:
    """The simulated Wish as a process of its own, stopped at the end."""
    line = ["wish_simulator", "--port", "0", *arguments]
    wish = start_server(line, {}, folder / "wish.log", from_scratch)
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
