"""The end of a connection in stages."""

import asyncio


class Parting(asyncio.Transport):
    """A transport whose `close` only ends what we say.

    Closed at once while the client is still sending, its own system would throw our last answer away.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send it."""
        self._transport.write(data)

    def is_closing(self) -> bool:
        """Whether the client is gone."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Say that nothing more will come."""
        if not self._transport.is_closing():
            self._transport.write_eof()
