"""The kinds of store that a test can run on. The fixture `database` is each of them in turn."""

import os

import pytest

from channel_sync.channels.registry import dictionaries
from channel_sync.persistence.database import Database
from channel_sync.persistence.rows.compression import Compression

# `TEST_STORES=pooled` runs them all on PostgreSQL behind PgBouncer.
STORES = tuple(os.environ.get("TEST_STORES", "sqlite,postgres").split(","))

# How every deployment stores orders.
COMPRESSION = Compression(dictionaries())

# For what only the store of a single process has: its start, its one writer, its files.
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def chosen_database(request: pytest.FixtureRequest) -> Database:
    """An empty database on the kind that the fixture's parameter says."""
    database = request.getfixturevalue(f"{request.param}_database")
    assert isinstance(database, Database)
    return database
