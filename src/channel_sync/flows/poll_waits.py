"""How long to wait between two looks at a marketplace's job."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PollWaits:
    """Seconds: `first_s` while the job is younger than `first_for_s`, then `later_s` in turn, the last kept."""

    first_s: float
    first_for_s: float
    later_s: tuple[float, ...]
    give_up_s: float

    def next_wait_s(self, started_at: datetime, now: datetime) -> float | None:
        """Seconds to the next look, told by the job's age so that a new process goes on where another stopped."""
        age = (now - started_at).total_seconds()
        if age >= self.give_up_s:
            return None
        if age < self.first_for_s:
            return self.first_s
        looked_at = self.first_for_s
        for wait in self.later_s:
            looked_at += wait
            if age < looked_at:
                return wait
        return self.later_s[-1]


STOCK_WAITS = PollWaits(2, 60, (5, 10, 20, 30), 900)
CATALOGUE_WAITS = PollWaits(2, 2, (5, 10, 20, 30), 900)
