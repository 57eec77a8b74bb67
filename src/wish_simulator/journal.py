"""What was called, without secrets, and counts of what a good client avoids."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

SECRET_NAMES = frozenset(("client_secret", "refresh_token", "code", "access_token"))
LONGEST = 50_000


class Entry(msgspec.Struct, kw_only=True):
    """One received call; times are milliseconds since 1970 by the real clock."""

    number: int
    request_id: str
    method: str
    path: str
    query: dict[str, str]
    body_bytes: int = 0
    client_id: str | None = None
    merchant_id: str | None = None
    token_generation: int | None = None
    status: int | None = None
    code: int | None = None
    fault: str | None = None
    started_ms: int = 0
    finished_ms: int | None = None


class Counters(msgspec.Struct, kw_only=True):
    calls: int = 0
    refreshes: int = 0
    refresh_overlaps: int = 0
    revoked_token_uses: int = 0
    expired_token_uses: int = 0
    rate_limited: int = 0
    files_fetched: int = 0
    bearer_sent_to_files: int = 0


class Journal:
    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=LONGEST)
        self.counters = Counters()
        self._refreshing: dict[str, int] = {}

    def open(self, request_id: str, method: str, path: str, query: dict[str, str]) -> Entry:
        self.counters.calls += 1
        kept = {name: value for name, value in query.items() if name not in SECRET_NAMES}
        entry = Entry(number=self.counters.calls, request_id=request_id, method=method, path=path, query=kept)
        self._entries.append(entry)
        return entry

    def since(self, number: int) -> list[Entry]:
        """Calls after the one with this number, oldest first."""
        return [entry for entry in self._entries if entry.number > number]

    @contextmanager
    def refreshing(self, grant_key: str) -> Iterator[None]:
        """Counts a refresh, and whether it ran while another of the same grant did."""
        running = self._refreshing.get(grant_key, 0)
        self.counters.refreshes += 1
        self.counters.refresh_overlaps += running > 0
        self._refreshing[grant_key] = running + 1
        try:
            yield
        finally:
            self._refreshing[grant_key] -= 1
