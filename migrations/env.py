"""What alembic runs: on the connection of `channel-sync migrate`, or for developers on one of its own."""

import os

from alembic import context
from sqlalchemy import Connection, create_engine, make_url

from channel_sync.persistence.migrations import is_described
from channel_sync.persistence.sql import consent_tables, dispatch_tables, run_tables, trade_tables
from channel_sync.persistence.sql.tables import metadata

tables = (consent_tables, dispatch_tables, run_tables, trade_tables)
assert all(module.metadata is metadata for module in tables), "Importing them all completes the metadata."


def migrate(connection: Connection) -> None:
    """Run what is asked for in the connection's transaction."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        # SQLite alters a table by copying it, and undoes that in a transaction as well as PostgreSQL does.
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
        include_name=lambda name, kind, _: is_described(name, kind),
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    url = make_url(os.environ.get("CHANNEL_SYNC_DATABASE_URL", "sqlite:///var/channel-sync.db"))
    with create_engine(url).begin() as own:
        migrate(own)
