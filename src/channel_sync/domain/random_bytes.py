"""Randomness from the operating system, fetched many pieces at a time."""

import os
from collections import deque

_PIECES = 512


class RandomBytes:
    """Pieces of `size` bytes, none given out twice, from any thread.

    Every request to the system hands the interpreter to another thread; four an order made threads that worked
    side by side wait for each other most of the time.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._pieces: deque[bytes] = deque()
        # A forked child must not give out what its parent gives out.
        os.register_at_fork(after_in_child=self._pieces.clear)

    def take(self) -> bytes:
        """The next piece."""
        while True:
            try:
                return self._pieces.pop()
            except IndexError:
                self._fetch()

    def _fetch(self) -> None:
        many, size = os.urandom(self._size * _PIECES), self._size
        self._pieces.extend(many[start : start + size] for start in range(0, len(many), size))
