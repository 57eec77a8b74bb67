"""Requests that take long: how many of a kind may be under way at once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from channel_sync.api.http.problems import HttpProblem
from channel_sync.domain.codes import ProblemCode
from channel_sync.domain.keys import Caller

_COME_BACK_S = 5


@dataclass(frozen=True, slots=True)
class PlaceLimits:
    """How many at once in this process: of a key, of its tenant, and in all."""

    per_key: int
    per_tenant: int
    in_all: int


class Places:
    """The places of one kind of request. Whoever finds none is told so by `code` and `message`."""

    def __init__(self, limits: PlaceLimits, code: ProblemCode, message: str) -> None:
        self._limits = limits
        self._code = code
        self._message = message
        self._of_key: Counter[str] = Counter()
        self._of_tenant: Counter[str] = Counter()

    @contextmanager
    def place(self, caller: Caller) -> Iterator[None]:
        """A place; 429 where the key, its tenant or all together have as many as they may."""
        key, tenant, limits = caller.key_id, caller.tenant, self._limits
        full = self._of_key[key] >= limits.per_key or self._of_tenant[tenant] >= limits.per_tenant
        if full or self._of_tenant.total() >= limits.in_all:
            raise HttpProblem(429, self._code, self._message, {"Retry-After": str(_COME_BACK_S)})
        self._of_key[key] += 1
        self._of_tenant[tenant] += 1
        try:
            yield
        finally:
            _less(self._of_key, key)
            _less(self._of_tenant, tenant)


def _less(counted: "Counter[str]", whose: str) -> None:
    counted[whose] -= 1
    if counted[whose] == 0:
        del counted[whose]
