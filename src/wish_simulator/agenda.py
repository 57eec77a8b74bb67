"""Effects that come later: settling changes, finishing jobs, ending reviews.

Nothing runs by itself. Every call to the marketplace first lets everything happen that was due before it, each at
its own time, so moving the clock is the same as waiting.
"""

import heapq
import itertools
from collections.abc import Callable

Effect = Callable[[int], None]


class Agenda:
    def __init__(self) -> None:
        self._order = itertools.count()
        self._effects: list[tuple[int, int, Effect]] = []

    def at(self, due_ms: int, effect: Effect) -> None:
        heapq.heappush(self._effects, (due_ms, next(self._order), effect))

    def run_until(self, now_ms: int) -> None:
        while self._effects and self._effects[0][0] <= now_ms:
            due_ms, _, effect = heapq.heappop(self._effects)
            effect(due_ms)
