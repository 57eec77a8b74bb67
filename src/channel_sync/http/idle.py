"""Which of the open connections nobody would miss."""

from asyncio import Transport
from itertools import chain


class IdleConnections:
    """The connections on which nothing is asked, in the order in which they came to be so."""

    def __init__(self) -> None:
        self._without_head: dict[Transport, None] = {}
        self._resting: dict[Transport, None] = {}

    def awaits_head(self, connection: Transport) -> None:
        """Its next request has begun, or is the first."""
        self._resting.pop(connection, None)
        self._without_head[connection] = None

    def rests(self, connection: Transport) -> None:
        """All that was asked on it is answered."""
        self._resting[connection] = None

    def is_asked(self, connection: Transport) -> None:
        """There is a request on it, or it is closed."""
        self._without_head.pop(connection, None)
        self._resting.pop(connection, None)

    def make_room_for(self, newcomer: Transport) -> None:
        """Close the connection that has begun a request for longest, or else rested; or the newcomer."""
        idle = chain(self._without_head, self._resting)
        oldest = next((one for one in idle if one is not newcomer), newcomer)
        self.is_asked(oldest)
        oldest.close()
