"""Programs as processes forked off one that has them imported: a start costs 0.1 s of a processor, not 2.5.

All but that is as if they had an interpreter of their own: id, environment, folder, output, signals, exit code.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# The last one works the routes out, which takes 0.4 s.
_IMPORTED = [
    "channel_sync.cli.serving",
    "channel_sync.jobs.distributed",
    "channel_sync.jobs.queue_connection",
    "wish_simulator.server",
    "tests.api.contract",
]
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(_IMPORTED)


@dataclass(frozen=True)
class Program:
    """`python -m …` with these words, run in a folder; it adds to the files what it prints and what it logs."""

    words: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    output: Path
    errors: Path


class Fork:
    """A program as a process, with as much of `subprocess.Popen` as tests ask for."""

    def __init__(self, program: Program) -> None:
        self._process = _FORKS.Process(target=_become, args=(program,))
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        """With what it ended, or minus the signal that ended it."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The same, at its end."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it is still there."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()


def _become(program: Program) -> None:
    for place, stream in ((program.output, sys.stdout), (program.errors, sys.stderr)):
        with place.open("ab") as file:
            os.dup2(file.fileno(), stream.fileno())
    os.environ.clear()
    os.environ.update(program.environment)
    os.chdir(program.folder)
    sys.argv = list(program.words)
    runpy.run_module(program.words[0], run_name="__main__", alter_sys=True)


def end_forks() -> None:
    """End those that a test has left behind."""
    for process in multiprocessing.active_children():
        process.kill()
        process.join()
