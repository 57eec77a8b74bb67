import os
from pathlib import Path

import pytest
from tests.processes import Deployment

from channel_sync.persistence.database import Database
from channel_sync.persistence.migrations import migrate
from channel_sync.persistence.rows.encryption import Cipher


@pytest.fixture(autouse=True)
def generous_mask():
    """By itself a new file can be read by everybody."""
    before = os.umask(0o000)
    yield
    os.umask(before)


def rights(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


async def used(file: Path, cipher: Cipher) -> Database:
    database = Database(f"sqlite:///{file}", cipher)
    await database.initialise_key()
    return database


async def test_nobody_else_can_read_a_file_of_the_database(tmp_path, cipher):
    file = tmp_path / "own.db"
    migrate(f"sqlite:///{file}")

    database = await used(file, cipher)
    while_open = rights(tmp_path)
    await database.close()

    assert while_open.keys() == {"own.db", "own.db-wal", "own.db-shm"}
    assert set(while_open.values()) == {0o600}


async def test_files_that_others_could_read_are_theirs_no_more(tmp_path, cipher):
    file = tmp_path / "own.db"
    migrate(f"sqlite:///{file}")
    first = await used(file, cipher)
    (tmp_path / "own.db.lock").touch()
    for one in tmp_path.iterdir():
        one.chmod(0o664)

    second = await used(file, cipher)
    now = rights(tmp_path)
    await second.close()
    await first.close()

    assert len(now) == 4
    assert set(now.values()) == {0o600}


def test_neither_can_they_read_the_lock_of_a_service(tmp_path):
    deployment = Deployment(tmp_path)
    deployment.command("migrate")
    service = deployment.serve()
    try:
        found = rights(tmp_path)
    finally:
        service.stop()

    assert {name: right for name, right in found.items() if name.startswith("service.db")} == {
        f"service.db{ending}": 0o600 for ending in ("", "-wal", "-shm", ".lock")
    }
