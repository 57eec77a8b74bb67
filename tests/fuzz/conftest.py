import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest
from tests.fuzz.ground import Runtime, running_ground
from tests.postgres import PostgresServer
from tests.stores import STORES


@pytest.fixture(scope="session")
def grounds(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Runtime]]:
    """A seeded service on each kind of store, shared by all operations."""
    with ExitStack() as running:
        yield {
            store: running.enter_context(running_ground(tmp_path_factory.mktemp("ground"), _url(store, request)))
            for store in STORES
        }


def _url(store: str, request: pytest.FixtureRequest) -> str | None:
    if store == "sqlite":
        return None
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"fuzz_{uuid4().hex}"
    asyncio.run(server.run(f"CREATE DATABASE {name}"))
    return server.url(name)


@pytest.fixture(params=STORES)
def ground(request: pytest.FixtureRequest, grounds: dict[str, Runtime]) -> Runtime:
    """That on one kind after the other."""
    return grounds[request.param]
