from collections.abc import AsyncIterator

import httpx
import pytest
from tests.api.world import World

from channel_sync.persistence.database import Database


@pytest.fixture
def world(database: Database) -> World:
    """A deployment with an empty database."""
    return World(database)


@pytest.fixture
async def admin(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the tenant `acme` who may do everything."""
    async with world.caller() as caller:
        yield caller
