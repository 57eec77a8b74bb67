import pytest
from tests.api.world import World

from channel_sync.persistence.database import Database


@pytest.fixture
def world(sqlite_database: Database) -> World:
    """A deployment with an empty database."""
    return World(sqlite_database)
