"""For whom the transactions of a task are.

Repositories ask for the rows of a tenant; on PostgreSQL, row-level security sees to it once more, below them, that
a transaction of one tenant meets no row of another. Tasks that a task starts are for the same tenant.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current_tenant: ContextVar[str | None] = ContextVar("current_tenant")


@contextmanager
def for_tenant(tenant: str) -> Iterator[None]:
    """Let the transactions begun in the block be for one tenant."""
    with _set(tenant):
        yield


@contextmanager
def for_every_tenant() -> Iterator[None]:
    """Let the transactions begun in the block see every tenant: what finds out whose a thing is, and jobs."""
    with _set(None):
        yield


def current_tenant() -> str | None:
    """The tenant that a transaction begun now is for; None is every tenant. Forgetting to say it is an error."""
    try:
        return _current_tenant.get()
    except LookupError:
        raise RuntimeError("Say for whom: for_tenant or for_every_tenant.") from None


@contextmanager
def _set(tenant: str | None) -> Iterator[None]:
    token = _current_tenant.set(tenant)
    try:
        yield
    finally:
        _current_tenant.reset(token)
