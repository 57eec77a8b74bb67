"""PostgreSQL over TLS with a real certificate, for everything of ours that goes there."""

import asyncio
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.certificates import Authority, authority
from tests.postgres import folder_of_the_server, postgres_cluster, server_owner
from tests.processes import Deployment, api, refusal

from channel_sync.domain.errors import StorageAway
from channel_sync.jobs.queue_connection import QueueConnection
from channel_sync.persistence.database import Database
from channel_sync.persistence.migrations import migrate, newest
from channel_sync.persistence.rows.encryption import Cipher, new_key_text

_USER = "postgres"
_KEYS = {"CHANNEL_SYNC_ENCRYPTION_KEYS": new_key_text(datetime.now(UTC))}
_HBA = f"""\
local all all trust
hostssl all guest 127.0.0.1/32 cert
hostssl all {_USER} 127.0.0.1/32 trust
"""


@dataclass(frozen=True)
class TlsServer:
    """A PostgreSQL that nobody reaches without TLS; its certificate is for `localhost`."""

    port: int
    trusted: Authority
    folder: Path

    def url(self, query: str, host: str = "localhost", user: str = _USER) -> str:
        return f"postgresql://{user}@{host}:{self.port}/postgres?{query}"

    @property
    def root(self) -> str:
        return f"sslrootcert={self.trusted.file}"

    def verified(self, host: str = "localhost") -> str:
        return self.url(f"sslmode=verify-full&{self.root}", host)


@pytest.fixture(scope="module")
def server() -> Iterator[TlsServer]:
    with folder_of_the_server("channel-sync-tls-") as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        trusted = authority(folder, "trusted")
        certificate, key = trusted.issue(folder, "localhost")
        trusted.issue(folder, "guest")
        (folder / "pg_hba.conf").write_text(_HBA)
        if owner := server_owner():
            for file in folder.iterdir():
                os.chown(file, owner["user"], owner["group"])
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "ssl": "on",
            "ssl_cert_file": str(certificate),
            "ssl_key_file": str(key),
            "ssl_ca_file": str(trusted.file),
            "hba_file": str(folder / "pg_hba.conf"),
            "fsync": "off",
        }
        with postgres_cluster(" ".join(f"-c {name}={value}" for name, value in settings.items())):
            yield TlsServer(port, trusted, folder)


@pytest.fixture(scope="module")
def migrated(server: TlsServer) -> TlsServer:
    migrate(server.verified())
    return server


async def asked(url: str, question: str) -> object:
    """What the database answers to a connection of the service."""
    database = Database(url, Cipher({"k1": os.urandom(32)}))
    try:
        async with database.session() as session:
            return await session.value(text(question))
    finally:
        await database.close()


async def is_ciphered(url: str) -> object:
    return await asked(url, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")


async def reason(url: str) -> str:
    with pytest.raises(StorageAway) as away:
        await is_ciphered(url)
    return away.value.reason


def test_service_worker_migration_and_keys_go_over_tls(server, tmp_path):
    """Each has its own way to the driver; the server lets nobody in without."""
    settings = {"CHANNEL_SYNC_DATABASE_URL": server.verified(), "CHANNEL_SYNC_JOBS": "distributed"}
    deployment = Deployment(tmp_path, _KEYS | settings)
    assert newest() in deployment.command("migrate")
    key = deployment.create_key("integrations:read")
    service, worker = deployment.serve(), deployment.work()
    try:
        with api(service, key) as client:
            assert client.get("/integrations").status_code == 200
            assert client.get("/health/ready").status_code == 200
    finally:
        assert (service.stop(), worker.stop()) == (0, 0)


@pytest.mark.parametrize("command", [["migrate"], ["keys", "list", "--tenant", "acme"], ["serve", "--port", "0"]])
def test_a_server_of_another_name_is_refused_in_one_line(migrated, tmp_path, command):
    deployment = Deployment(tmp_path, {"CHANNEL_SYNC_DATABASE_URL": migrated.verified("127.0.0.1")})

    said = refusal(deployment, *command)

    assert said == (
        "channel-sync: CHANNEL_SYNC_DATABASE_URL: the certificate that the database shows is not the expected one"
    )


def test_a_worker_that_listens_at_a_server_of_another_name_says_so(migrated, tmp_path):
    settings = {
        "CHANNEL_SYNC_DATABASE_URL": migrated.verified(),
        "CHANNEL_SYNC_QUEUE_DATABASE_URL": migrated.verified("127.0.0.1"),
        "CHANNEL_SYNC_JOBS": "distributed",
        "CHANNEL_SYNC_LOG_LEVEL": "error",
    }

    said = refusal(Deployment(tmp_path, _KEYS | settings), "worker")

    assert "CHANNEL_SYNC_QUEUE_DATABASE_URL: the certificate" in said


async def test_the_modes_look_at_the_certificate_as_libpq_does(migrated, tmp_path):
    stranger = f"sslrootcert={authority(tmp_path, 'stranger').file}"

    assert await is_ciphered(migrated.url("sslmode=require", "127.0.0.1"))
    assert await is_ciphered(migrated.url(f"sslmode=verify-ca&{migrated.root}", "127.0.0.1"))
    assert await is_ciphered(migrated.verified("localhost"))
    for mode in ("require", "verify-ca", "verify-full"):
        assert "certificate" in await reason(migrated.url(f"sslmode={mode}&{stranger}"))


async def test_without_tls_nobody_gets_in(migrated):
    assert "refuses us" in await reason(migrated.url("sslmode=disable"))


async def test_a_server_that_speaks_no_tls_is_told_as_such():
    with socket.create_server(("127.0.0.1", 0)) as plain:
        port = plain.getsockname()[1]

        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(8)
            writer.write(b"N")
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(refuse, sock=plain):
            assert "speaks no TLS" in await reason(f"postgresql://a@127.0.0.1:{port}/b?sslmode=require")


async def test_a_client_shows_its_own_certificate(migrated):
    shown = f"sslcert={migrated.folder}/guest.crt&sslkey={migrated.folder}/guest.key"
    database = Database(migrated.verified(), Cipher({"k1": os.urandom(32)}))
    async with database.session() as session:
        await session.execute(text("CREATE ROLE guest LOGIN"))
    await database.close()

    assert await is_ciphered(migrated.url(f"sslmode=verify-full&{migrated.root}&{shown}", user="guest"))
    assert "refuses us" in await reason(migrated.url(f"sslmode=verify-full&{migrated.root}", user="guest"))


async def test_the_next_host_is_tried_when_one_is_silent_or_away(migrated):
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as closed:
        hosts = [f"127.0.0.1:{one.getsockname()[1]}" for one in (silent, closed)]
        closed.close()
        query = f"sslmode=verify-full&{migrated.root}&connect_timeout=1"
        url = f"postgresql://{_USER}@{','.join(hosts)},localhost:{migrated.port}/postgres?{query}"

        assert await is_ciphered(url)
        queue = QueueConnection(url)
        await queue.open()
        assert await queue.fetch("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == [{"ssl": True}]
        await queue.close()


async def test_a_server_of_the_wrong_kind_is_told_as_such(migrated):
    query = f"sslmode=verify-full&{migrated.root}&target_session_attrs"

    for kind in ("any", "primary", "read-write", "prefer-standby"):
        assert await is_ciphered(migrated.url(f"{query}={kind}"))
    for kind in ("standby", "read-only"):
        assert "target_session_attrs" in await reason(migrated.url(f"{query}={kind}"))


async def test_a_connection_has_the_name_it_was_given(migrated):
    named = f"{migrated.verified()}&application_name=acme%20sync"
    question = "SELECT current_setting('application_name')"

    assert await asked(migrated.verified(), question) == "channel-sync"
    assert await asked(named, question) == "acme sync"
    queue = QueueConnection(named)
    await queue.open()
    assert await queue.fetch(f"{question} AS name") == [{"name": "acme sync"}]
    await queue.close()
