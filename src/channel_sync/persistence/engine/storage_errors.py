"""Driver errors become ours here, once. Their text stays behind: it may hold values, PostgreSQL's holds keys."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError, TimeoutError

from channel_sync.domain.errors import Conflict, StorageAway, StorageRefused, StorageUnavailable, ValueRefused

# SQLSTATE classes of PostgreSQL that a later try may not meet again: connection, transaction state and read-only,
# rollback by serialisation or deadlock, resources, lock not available, operator intervention.
_PASSING = ("08", "25", "40", "53", "55", "57")
# Those that a value is refused with: data exceptions, and limits such as that of an index row.
_OF_VALUES = ("22", "54")
# What drivers raise before the database is asked: half of a surrogate pair, a number beyond its type.
_UNSENDABLE = (UnicodeEncodeError, OverflowError)
# Those that let nobody in: a user or a password, a database that is not there.
_REFUSING = ("28", "3D")
_SQLITE_PASSING = ("locked", "disk", "readonly", "unable to open", "full")


@contextmanager
def translated() -> Iterator[None]:
    """Raise `StorageUnavailable`, `ValueRefused` or `Conflict` for what the database says."""
    try:
        yield
    except TimeoutError:
        raise StorageUnavailable from None
    except IntegrityError:
        raise Conflict("conflict", "Something this needs changed in the meantime.") from None
    except _UNSENDABLE:
        raise ValueRefused from None
    except DBAPIError as error:
        if _state(error) in _REFUSING:
            raise StorageRefused from None
        if isinstance(error, DataError) or _state(error) in _OF_VALUES:
            raise ValueRefused from None
        if not _passes(error):
            raise
        raise StorageUnavailable from None
    except StatementError as error:
        if isinstance(error.orig, _UNSENDABLE):
            raise ValueRefused from None
        raise


class CannotConnect(ConnectionError):
    """There is no way to the database, and this is why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@contextmanager
def translated_connecting() -> Iterator[None]:
    """Raise `StorageAway` where there is no way to the database."""
    try:
        yield
    except CannotConnect as error:
        raise StorageAway(error.reason) from None
    except OSError:
        raise StorageAway from None


def _passes(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    state = _state(error)
    if state is not None:
        return state in _PASSING
    text = str(error.orig)
    return any(sign in text for sign in _SQLITE_PASSING)


def _state(error: DBAPIError) -> str | None:
    """The class of PostgreSQL's SQLSTATE."""
    state = getattr(error.orig, "sqlstate", None)
    return None if state is None else str(state)[:2]
