"""Stock levels: what the caller wants, and what a listing is told."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

MAX_UNITS = 500_000


class StockResult(StrEnum):
    """What became of one item of a stock write."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    STALE_REVISION = "stale_revision"
    INVALID = "invalid"


class PushResult(StrEnum):
    """What became of one SKU that is to be sent again."""

    QUEUED = "queued"
    NO_LISTING = "no_listing"
    UNKNOWN_SKU = "unknown_sku"


class StockItem(NamedTuple):
    """A level that a caller wants; `revision` is the caller's own and may be left out."""

    sku: str
    available: int
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class StockLevel:
    """Units available of one SKU. `version` grows by one with every change; `revision` is the caller's own."""

    sku: str
    available: int
    version: int
    revision: int | None
    updated_at: datetime

    def change_to(self, available: int, revision: int | None, now: datetime) -> tuple["StockLevel", StockResult]:
        """The level after the write, and what to answer. An older revision never overwrites a newer one."""
        if revision is not None and self.revision is not None and revision < self.revision:
            return self, StockResult.STALE_REVISION
        newest = self.revision if revision is None else revision
        if available == self.available:
            return replace(self, revision=newest), StockResult.UNCHANGED
        changed = StockLevel(self.sku, available, self.version + 1, newest, now)
        return changed, StockResult.ACCEPTED


@dataclass(frozen=True, slots=True)
class Reckoning:
    """How a level became the units that a listing is told."""

    available: int
    buffer: int
    percent: int
    maximum: int | None
    quantity: int

    @property
    def words(self) -> str:
        """The steps in their order, as far as they change anything that is set."""
        steps = [f"{self.available} available"]
        if self.buffer:
            steps.append(f"less a buffer of {self.buffer}")
        if self.percent != 100:
            steps.append(f"of that {self.percent} %")
        if self.maximum is not None:
            steps.append(f"at most {self.maximum}")
        return f"{', '.join(steps)}: {self.quantity}"


@dataclass(frozen=True, slots=True)
class StockSettings:
    """How one integration turns a level into what a listing shows. `percent` is 1..100."""

    enabled: bool = True
    interval_s: int | None = None
    buffer: int = 0
    maximum: int | None = None
    percent: int = 100
    warehouse_id: str | None = None

    def capped(self, most_units: int) -> "StockSettings":
        """The same for a marketplace where no listing has more than `most_units`."""
        if most_units >= MAX_UNITS:
            return self
        return replace(self, maximum=most_units if self.maximum is None else min(most_units, self.maximum))

    def reckoned(self, available: int) -> Reckoning:
        """`units`, with the way there."""
        return Reckoning(available, self.buffer, self.percent, self.maximum, self.units(available))

    def units(self, available: int) -> int:
        """Units to show: less the buffer, then the share, then the cap; never below zero."""
        shared = max(0, available - self.buffer) * self.percent // 100
        return min(shared, MAX_UNITS if self.maximum is None else self.maximum)
