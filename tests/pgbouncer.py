"""A real PgBouncer in transaction mode before the PostgreSQL of the tests."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url
from tests.app_role import APP_PASSWORD, AppRole
from tests.postgres import PostgresServer, server_owner

NO_POOLER = "!!! NO PGBOUNCER: the tests behind a pooler were NOT RUN. Install PgBouncer."

# Fewer than the connections of one service, so that its transactions wander between them.
CONNECTIONS = 4
_PORT = 6432
_START_S = 10


def find_pgbouncer() -> str | None:
    """The path of PgBouncer, which Debian keeps where only root looks."""
    return shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")


@dataclass(frozen=True)
class Pooler:
    """A running PgBouncer. `address` has a place for the name of a database."""

    address: str

    def url(self, database: str) -> str:
        """Our address of a database behind it."""
        return f"{self.address.format(database)}&pooler=transaction"

    def plain_url(self, database: str) -> str:
        """The address of somebody who does not know of the pooler."""
        return self.address.format(database)


@contextmanager
def pgbouncer(program: str, server: PostgresServer, *roles: AppRole) -> Iterator[Pooler]:
    """A PgBouncer on a socket of its own for as long as the block runs; the roles may come beside the owner."""
    owner = server_owner()
    folder = Path(tempfile.mkdtemp(prefix="channel-sync-pgbouncer-"))
    try:
        settings = folder / "pgbouncer.ini"
        settings.write_text(_settings(folder, server))
        (folder / "users").write_text(_users(server, roles))
        if owner:
            os.chown(folder, owner["user"], owner["group"])
        with (folder / "output").open("wb") as output:
            process = subprocess.Popen([program, settings], stdout=output, stderr=output, cwd="/", **owner)
        try:
            _wait_for(folder / f".s.PGSQL.{_PORT}", process, folder / "output")
            yield Pooler(f"postgresql://{server.user}@/{{}}?host={folder}&port={_PORT}")
        finally:
            process.kill()
            process.wait()
    finally:
        shutil.rmtree(folder)


def _settings(folder: Path, server: PostgresServer) -> str:
    address = make_url(server.url("postgres"))
    return f"""\
[databases]
* = host={address.query.get("host") or address.host} port={address.port or 5432}
[pgbouncer]
pool_mode = transaction
default_pool_size = {CONNECTIONS}
server_login_retry = 1
auth_type = trust
auth_file = {folder}/users
listen_addr =
unix_socket_dir = {folder}
listen_port = {_PORT}
"""


def _users(server: PostgresServer, roles: Sequence[AppRole]) -> str:
    owner = (server.user, make_url(server.url("postgres")).password or "")
    known = [owner, *((role.name, APP_PASSWORD) for role in roles)]
    return "".join(f'"{name}" "{password}"\n' for name, password in known)


def _wait_for(place: Path, process: "subprocess.Popen[bytes]", output: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(place))
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"PgBouncer did not start: {output.read_text()[-2000:]}")
