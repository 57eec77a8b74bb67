from collections.abc import AsyncIterator

import httpx
import pytest
from tests.api.world import World
from tests.stores import STORES, chosen_database

from channel_sync.persistence.database import Database


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests run on the first kind of store; on every kind those of a module that is marked so.

    Such are the modules whose matter a store has a say in: who is first of several at once, what a tenant sees of
    another, the order of lists and what is found in them, values that it may not take, what it refuses. With them,
    those of persistence and those of the flows, every statement that the API can cause meets every kind.
    """
    chosen = [one.args[0] for one in metafunc.definition.iter_markers("parametrize")]
    if "database" not in metafunc.fixturenames or "database" in chosen:
        return
    everywhere = metafunc.definition.get_closest_marker("every_store") is not None
    metafunc.parametrize("database", STORES if everywhere else STORES[:1], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Database:
    """An empty database on the kind that was chosen."""
    return chosen_database(request)


@pytest.fixture
def world(database: Database) -> World:
    """A deployment with an empty database."""
    return World(database)


@pytest.fixture
async def admin(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the tenant `acme` who may do everything."""
    async with world.caller() as caller:
        yield caller
