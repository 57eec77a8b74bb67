import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest
from tests.fuzz.ground import Ground, running_ground
from tests.postgres import PostgresServer
from tests.stores import STORES


@pytest.fixture(scope="session", params=STORES)
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A seeded service on each kind of store, shared by all operations."""
    url = None
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        name = f"fuzz_{uuid4().hex}"
        asyncio.run(server.run(f"CREATE DATABASE {name}"))
        url = server.url(name)
    with running_ground(tmp_path_factory.mktemp("ground"), url) as running:
        yield running
