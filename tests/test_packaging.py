"""What is shipped: the wheel, and the image, whose lines run here without Docker."""

import base64
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from channel_sync.settings import Settings

ROOT = Path(__file__).parent.parent
KEYS = f"k1:{base64.b64encode(os.urandom(32)).decode()}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def files_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_everything_that_is_not_code_too(wheel):
    kept = {
        str(file.relative_to(ROOT / "src"))
        for file in (ROOT / "src" / "channel_sync").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    migrations = {f"channel_sync/migrations/{file.relative_to(ROOT / 'migrations')}" for file in migration_files()}

    assert kept | migrations <= files_of(wheel)
    assert any(name.endswith(".html") for name in kept)
    assert "channel_sync/channels/wish/logo.svg" in kept


def test_the_wheel_holds_no_test_no_data_and_no_simulator(wheel):
    tops = {name.split("/")[0] for name in files_of(wheel)}

    assert {top for top in tops if not top.endswith(".dist-info")} == {"channel_sync"}


def migration_files() -> list[Path]:
    return [*(ROOT / "migrations").glob("*.py"), *(ROOT / "migrations" / "versions").glob("*.py")]


_FROM_THE_WHEEL = """\
import sys
sys.path = [sys.argv.pop(1)] + [place for place in sys.path if not place.endswith("/src")]
import channel_sync.__main__ as c
print(c.__file__)
c.main()
"""


def from_the_wheel(wheel: Path, folder: Path, command: str) -> "subprocess.CompletedProcess[str]":
    """A command carried out in an empty folder where there is no checkout."""
    site, empty = folder / "site", folder / "empty"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    empty.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", _FROM_THE_WHEEL, site, command],
        cwd=empty,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith(str(site))
    return done


def test_migrate_works_from_the_wheel_in_an_empty_folder(wheel, tmp_path):
    done = from_the_wheel(wheel, tmp_path, "migrate")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "empty" / "var" / "channel-sync.db").stat().st_size > 0


def test_the_demo_says_that_the_wheel_has_no_simulated_wish(wheel, tmp_path):
    done = from_the_wheel(wheel, tmp_path, "demo")

    assert done.returncode == 1
    assert done.stderr == (
        "channel-sync: the demo needs the simulated Wish, which only a checkout has; there: make run\n"
    )
    assert not any((tmp_path / "empty").iterdir())


# An image that only root can install or start is of no use.
USER, GROUP, GROUPS = ("nobody", "nogroup", ()) if os.getuid() == 0 else (None, None, None)
USABLE = "import sys, ensurepip; sys.exit(sys.version_info < (3, 11))"


def interpreter() -> str | None:
    """A Python that an ordinary user may run; root's own often lies where nobody else can look."""
    for python in (f"{sys.base_prefix}/bin/python3", "/usr/local/bin/python3", "/usr/bin/python3"):
        try:
            tried = subprocess.run(
                [python, "-c", USABLE], cwd="/", user=USER, group=GROUP, extra_groups=GROUPS, check=False
            )
        except OSError:
            continue
        if tried.returncode == 0:
            return str(Path(python).resolve())
    return None


@dataclass
class Image:
    """The lines of the Dockerfile, carried out below a folder by somebody who is not root."""

    folder: Path
    port: int
    python: str

    def __post_init__(self) -> None:
        text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
        build, final = re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]
        self.steps = re.findall(r"^(RUN|COPY) (.+)$", build, re.MULTILINE)
        self.command = self._words(re.search(r"^CMD (.+)$", final, re.MULTILINE))
        self.health_check = self._words(re.search(r"^HEALTHCHECK .*CMD (.+)$", final, re.MULTILINE))
        for name in ("build", "data", "opt", "bin", "home"):
            (self.folder / name).mkdir()
        # The images' interpreter is called python, this machine's may not be.
        python = self.folder / "bin" / "python"
        python.write_text(f'#!/bin/sh\nexec {shlex.quote(self.python)} "$@"\n')
        python.chmod(0o755)

    def _words(self, line: re.Match[str] | None) -> list[str]:
        assert line is not None
        return [self._here(word) for word in json.loads(line[1])]

    def _here(self, text: str) -> str:
        return re.sub(r"(?<=[\s=])/opt/", f"{self.folder}/opt/", f" {text}")[1:].replace("8000", str(self.port))

    def copy(self, names: str) -> None:
        *sources, target = names.split()
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(
                    ROOT / source, self.folder / "build" / target, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                shutil.copy(ROOT / source, self.folder / "build" / target)
        self.give_away()

    def give_away(self) -> None:
        if os.getuid() == 0:
            subprocess.run(["chown", "--recursive", "nobody", self.folder], check=True)

    def start(self, command: list[str], folder: str, **settings: str) -> subprocess.Popen[bytes]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
        }
        path = f"{self.folder}/opt/channel-sync/bin:{self.folder}/bin:/usr/bin:/bin"
        return subprocess.Popen(
            command,
            cwd=self.folder / folder,
            env={**kept, "PATH": path, "HOME": f"{self.folder}/home", **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            user=USER,
            group=GROUP,
            extra_groups=GROUPS,
        )

    def run(self, command: list[str], folder: str, **settings: str) -> None:
        process = self.start(command, folder, **settings)
        said = process.communicate(timeout=300)[0].decode()
        assert process.returncode == 0, f"{command}\n{said[-3000:]}"

    def build(self) -> None:
        for kind, line in self.steps:
            if kind == "COPY":
                self.copy(line)
            else:
                # What is compiled is thrown away in a minute.
                self.run(["sh", "-c", self._here(line)], "build", PIP_NO_COMPILE="1")


@pytest.fixture
def image():
    python = interpreter()
    if python is None:
        pytest.skip("no Python here that an ordinary user may run")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="image-"))
    folder.chmod(0o755)
    made = Image(folder, port, python)
    made.give_away()
    yield made
    shutil.rmtree(folder)


def test_the_images_lines_install_and_start_the_service_as_an_ordinary_user(image):
    settings = {"CHANNEL_SYNC_ENCRYPTION_KEYS": KEYS, "CHANNEL_SYNC_PUBLIC_URL": "https://sync.example"}
    image.build()
    image.run([f"{image.folder}/opt/channel-sync/bin/pip", "check"], "data")
    image.run(["channel-sync", "migrate"], "data", **settings)
    service = image.start(image.command, "data", **settings)
    try:
        healthy = wait_until_healthy(image, service)
    finally:
        service.terminate()
        said = service.communicate(timeout=25)[0].decode()

    assert healthy, said
    assert service.returncode == 0
    assert {file.name for file in (image.folder / "data").iterdir()} == {"var"}


def wait_until_healthy(image: Image, service: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and service.poll() is None:
        asked = image.start(image.health_check, "data")
        asked.communicate(timeout=30)
        if asked.returncode == 0:
            return True
    return False


def test_what_the_image_copies_is_not_ignored():
    allowed = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert {name for names in copied for name in names.split()} == allowed


def test_the_image_does_not_run_as_root():
    final = (ROOT / "Dockerfile").read_text().rpartition("FROM ")[2]

    (user,) = re.findall(r"^USER (\d+)$", final, re.MULTILINE)
    assert int(user) > 0


def compose_services() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return services


def test_compose_migrates_first():
    services = compose_services()

    assert services["service"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert services["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert services["worker"]["depends_on"] == services["service"]["depends_on"]


def test_compose_hands_every_setting_on_and_the_passwords_of_others_to_nobody():
    known = {f"CHANNEL_SYNC_{name.upper()}" for name in Settings.model_fields}

    for name in ("migrate", "service", "worker"):
        service = compose_services()[name]
        assert service["env_file"] == "settings.env"
        assert service["environment"].keys() <= known
        assert "POSTGRES_PASSWORD" not in str(service)
    assert "OWNER_PASSWORD" not in str(compose_services()["service"])


def test_images_are_named_by_what_they_hold():
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    images = [*bases, compose_services()["database"]["image"]]

    assert len(set(bases)) == 1
    for image in images:
        assert re.fullmatch(r"[a-z]+:[\w.-]+@sha256:[0-9a-f]{64}", image)


def test_compose_asks_a_worker_for_its_health_where_it_tells_of_it():
    worker = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["worker"]
    *_, option, port = worker["command"]

    assert option == "--health-port"
    assert f"http://127.0.0.1:{port}/health/ready" in worker["healthcheck"]["test"][-1]
