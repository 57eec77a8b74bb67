"""Every sealed column, and the columns of its row that say where a value is kept and whose it is."""

from datetime import datetime
from typing import Any, NamedTuple, Protocol

from channel_sync.persistence.rows.encryption import AssociatedData
from channel_sync.persistence.rows.timestamps import micros


class Values(Protocol):
    """Values of a row by the names of its columns."""

    def __getitem__(self, name: str, /) -> Any: ...


class SealedColumns(NamedTuple):
    """Columns of a table that are sealed alike; see `AssociatedData` for `row` and `bound`."""

    table: str
    columns: tuple[str, ...]
    row: tuple[str, ...]
    bound: tuple[str, ...] = ()

    def place(self, column: str, values: Values) -> AssociatedData:
        """The place of a value in the row that has these values."""
        row = tuple(values[name] for name in self.row)
        return AssociatedData(self.table, column, row, tuple(_plain(values[name]) for name in self.bound))


def _plain(value: Any) -> str | int | None:
    return micros(value) if isinstance(value, datetime) else value


_SHOP = ("tenant", "channel", "environment")
# What makes the newest one is bound, too: for an application its id and the moment its secret was set, for a grant
# the merchant and the generation.
APP_SECRET = SealedColumns(
    "integrations", ("client_secret",), ("id",), (*_SHOP, "client_id", "client_secret_updated_at")
)
GRANT = SealedColumns(
    "integrations",
    ("access_token", "refresh_token", "previous_access_token", "previous_refresh_token"),
    ("id",),
    (*_SHOP, "merchant_id", "generation"),
)
ATTEMPT = SealedColumns("attempts", ("code_verifier", "client_secret"), ("id",), ("tenant", "integration_id"))
CALLBACK = SealedColumns("callbacks", ("kept_grant",), ("id",), ("tenant", "attempt_id", "merchant_id"))
CLAIM = SealedColumns("claims", ("kept_grant",), ("id",), ("channel", "environment", "client_id", "merchant_id"))
ORDER = SealedColumns("orders", ("personal", "address", "tax", "raw"), ("tenant", "id"), ("account_id", "version"))
HELD_ORDER = SealedColumns("held_orders", ("raw",), ("tenant", "id"), ("account_id",))
ANSWER = SealedColumns("idempotency", ("body",), ("tenant", "key"))
META = SealedColumns("meta", ("value",), ("key",))

# The check value of the key comes last: once it is under a key, everything else is.
SEALED = (APP_SECRET, GRANT, ATTEMPT, CALLBACK, CLAIM, ORDER, HELD_ORDER, ANSWER, META)
