"""Stock levels: what the caller wants, and what a listing is told."""

from dataclasses import asdict, dataclass, replace
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
class UnitRules:
    """What a SKU, or one listing, has of the settings below for itself; None is as its integration has it."""

    buffer: int | None = None
    percent: int | None = None
    end_when: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Reckoning:
    """How a level became the units that a listing is told."""

    available: int
    buffer: int
    percent: int
    end_when: int
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
        if self.end_when:
            steps.append(f"none below {self.end_when}")
        if self.maximum is not None:
            steps.append(f"at most {self.maximum}")
        return f"{', '.join(steps)}: {self.quantity}"


@dataclass(frozen=True, slots=True)
class StockSettings:
    """How one integration turns a level into what a listing shows. `percent` is 1..100.

    Where less than `end_when` is left after the buffer and the share, the listing shows none. More than
    `brake_percent` of the listings are not set to zero in one push.
    """

    enabled: bool = True
    interval_s: int | None = None
    buffer: int = 0
    maximum: int | None = None
    percent: int = 100
    end_when: int = 0
    warehouse_id: str | None = None
    brake_percent: int = 50

    def overruled(self, *narrower: UnitRules | None) -> "StockSettings":
        """The same for something with rules of its own, the narrowest last."""
        settings = self
        for rules in narrower:
            if rules is not None:
                own = {name: value for name, value in asdict(rules).items() if value is not None}
                settings = replace(settings, **own)
        return settings

    def sends_as(self, other: "StockSettings") -> bool:
        """Whether every listing is told the same, in the same warehouse."""
        pace = replace(self, enabled=other.enabled, interval_s=other.interval_s)
        return replace(pace, brake_percent=other.brake_percent) == other

    def units(self, available: int) -> int:
        """Units to show: less the buffer, then the share, none if that is too few, then the cap."""
        shared = max(0, available - self.buffer) * self.percent // 100
        if shared < self.end_when:
            return 0
        return min(shared, MAX_UNITS if self.maximum is None else self.maximum)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How the levels of one shop become units, at a marketplace where no listing has more than `most_units`."""

    settings: StockSettings
    most_units: int = MAX_UNITS

    def units(self, available: int, *narrower: UnitRules | None) -> int:
        """Units to show, by the settings and what narrower rules make of them, the narrowest last."""
        return min(self.settings.overruled(*narrower).units(available), self.most_units)

    def reckoned(self, available: int, *narrower: UnitRules | None) -> Reckoning:
        """`units`, with the way there."""
        by = self.settings.overruled(*narrower)
        maximum = by.maximum
        if self.most_units < MAX_UNITS:
            maximum = self.most_units if maximum is None else min(self.most_units, maximum)
        units = self.units(available, *narrower)
        return Reckoning(available, by.buffer, by.percent, by.end_when, maximum, units)
