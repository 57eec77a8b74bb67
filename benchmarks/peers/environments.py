"""The peers, each in a virtual environment of its own, made the first time it is asked for."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "var" / "benchmarks"
PATIENCE_S = 1800

PINS = {
    "dlt": ("dlt[postgres,sqlalchemy]==1.31.0",),
    "singer": ("singer-sdk==0.54.9", "meltanolabs-target-postgres==0.8.1"),
    "airbyte-cdk": ("airbyte-cdk==7.39.1",),
    "pyairbyte": ("airbyte==0.71.3",),
}


class NoEnvironment(Exception):
    """A peer could not be installed: there is no network or no release of it for this Python. Leave it out."""


def interpreter(peer: str) -> Path:
    """The Python that runs the peer's script."""
    return python_with(peer, PINS[peer])


def python_with(name: str, packages: tuple[str, ...]) -> Path:
    """A Python of its own that has these packages, below var/benchmarks by that name."""
    folder = FOLDER / name
    python, mark = folder / "bin" / "python", folder / "pins"
    pins = "\n".join(packages)
    # The mark is written last, so what was left half done or is of other pins is made anew.
    if not mark.exists() or mark.read_text() != pins:
        shutil.rmtree(folder, ignore_errors=True)
        print(f"Installing {', '.join(packages)}", file=sys.stderr, flush=True)
        _install(folder, name, packages)
        mark.write_text(pins)
    return python


def _install(folder: Path, name: str, packages: tuple[str, ...]) -> None:
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    try:
        venv.create(folder, with_pip=True)
        done = subprocess.run([*pip, *packages], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except (OSError, subprocess.SubprocessError) as failed:
        raise NoEnvironment(f"{name} could not be installed: {failed}") from failed
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise NoEnvironment(f"{name} could not be installed: {said[-1] if said else done.stderr[-300:]}")
