"""The kinds of store that a test can run on. The fixture `database` is each of them in turn."""

import os

import pytest

from channel_sync.channels.registry import dictionaries
from channel_sync.persistence.compression import Compression

# `TEST_STORES=pooled` runs them all on PostgreSQL behind PgBouncer.
STORES = tuple(os.environ.get("TEST_STORES", "sqlite,postgres").split(","))

# How every deployment stores orders.
COMPRESSION = Compression(dictionaries())

# For what only the store of a single process has: its start, its one writer, its files.
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
