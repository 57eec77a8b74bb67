"""The queue that workers take runs from, as the store sees it."""

from collections.abc import Sequence
from typing import Any, Protocol

from channel_sync.domain.runs import Run


class RunQueue(Protocol):
    """Told of queued runs inside the transaction that queues them: both are there or neither."""

    async def put(self, connection: Any, runs: Sequence[Run]) -> None:
        """Let workers know, by the driver's own connection. A run that they know of already is passed over."""
        ...
