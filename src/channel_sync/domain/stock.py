"""Stock levels: what the caller wants, and what a listing is told."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

MAX_UNITS = 500_000
MOST_WAREHOUSES = 50


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


class DriftPolicy(StrEnum):
    """What becomes of units that somebody else changed at the marketplace."""

    OFF = "off"
    REPORT = "report"
    CORRECT = "correct"


class StockItem(NamedTuple):
    """A level that a caller wants; `revision` is the caller's own and may be left out."""

    sku: str
    available: int
    revision: int | None = None
    warehouse: str | None = None


@dataclass(frozen=True, slots=True)
class WarehouseLevel:
    """Units of one SKU in a warehouse of the caller's, by its name there."""

    warehouse: str
    available: int
    revision: int | None = None


NamedLevels = tuple[WarehouseLevel, ...] | None


class CountedOrders(StrEnum):
    """Which orders a caller has counted in the levels that it sets: all that are stored, or those acknowledged."""

    ALL = "all"
    ACKNOWLEDGED = "acknowledged"


def free_of(available: int, named: NamedLevels, reserved: int) -> tuple[int, NamedLevels]:
    """What is left of a level: all of it, and by warehouse, where the fullest gives first as nobody knows."""
    if named is not None and reserved:
        left, taken = dict[str, int](), reserved
        for one in sorted(named, key=lambda one: one.available, reverse=True):
            left[one.warehouse] = max(0, one.available - taken)
            taken -= one.available - left[one.warehouse]
        named = tuple(replace(one, available=left[one.warehouse]) for one in named)
    return max(0, available - reserved), named


@dataclass(frozen=True, slots=True)
class StockLevel:
    """Units available of one SKU. `version` grows by one with every change; `revision` is the caller's own.

    One that is given by warehouse has those in `warehouses`, and their sum as `available`. Of these `reserved` are
    in orders that the caller has not counted yet.
    """

    sku: str
    available: int
    version: int
    revision: int | None
    updated_at: datetime
    warehouses: NamedLevels = None
    reserved: int = 0

    @property
    def free(self) -> tuple[int, NamedLevels]:
        """What may still be sold: all of it, and by warehouse."""
        return free_of(self.available, self.warehouses, self.reserved)

    def frees(self, before: "StockLevel") -> bool:
        """Whether less is held back than before, which is no version of its own yet."""
        return self.reserved != before.reserved and self.version == before.version

    def revision_at(self, warehouse: str | None) -> int | None:
        """The newest revision of what is said of one warehouse, or of all there is."""
        if warehouse is None:
            return self.revision
        return next((one.revision for one in self.warehouses or () if one.warehouse == warehouse), None)

    def change_at(
        self, warehouse: str, available: int, revision: int | None, now: datetime
    ) -> tuple["StockLevel", StockResult]:
        """The level after a write of one warehouse. From the first one on the SKU is counted by warehouse.

        It is invalid where it has too many already.
        """
        levels = {one.warehouse: one for one in self.warehouses or ()}
        before = levels.get(warehouse)
        known = None if before is None else before.revision
        if revision is not None and known is not None and revision < known:
            return self, StockResult.STALE_REVISION
        levels[warehouse] = WarehouseLevel(warehouse, available, known if revision is None else revision)
        if len(levels) > MOST_WAREHOUSES:
            return self, StockResult.INVALID
        by_name = tuple(levels[name] for name in sorted(levels))
        if before is not None and before.available == available:
            return replace(self, warehouses=by_name), StockResult.UNCHANGED
        total = sum(one.available for one in by_name)
        changed = StockLevel(self.sku, total, self.version + 1, self.revision, now, by_name, self.reserved)
        return changed, StockResult.ACCEPTED

    def change_to(self, available: int, revision: int | None, now: datetime) -> tuple["StockLevel", StockResult]:
        """The level after the write, and what to answer. An older revision never overwrites a newer one.

        It is counted as a whole from then on.
        """
        if revision is not None and self.revision is not None and revision < self.revision:
            return self, StockResult.STALE_REVISION
        newest = self.revision if revision is None else revision
        if available == self.available and self.warehouses is None:
            return replace(self, revision=newest), StockResult.UNCHANGED
        changed = StockLevel(self.sku, available, self.version + 1, newest, now, None, self.reserved)
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
    reserved: int
    buffer: int
    percent: int
    end_when: int
    maximum: int | None
    quantity: int

    @property
    def words(self) -> str:
        """The steps in their order, as far as they change anything that is set."""
        steps = [f"{self.available} available"]
        if self.reserved:
            steps.append(f"less {self.reserved} in orders not counted yet")
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
    `brake_percent` of the listings are not set to zero in one push. `warehouses` has the marketplace's by the
    caller's names: None where what lies there is not offered; what lies in others goes to `warehouse_id`. `drift`
    is what becomes of units that somebody else changed there.
    """

    enabled: bool = True
    interval_s: int | None = None
    buffer: int = 0
    maximum: int | None = None
    percent: int = 100
    end_when: int = 0
    warehouse_id: str | None = None
    brake_percent: int = 50
    drift: DriftPolicy = DriftPolicy.REPORT
    warehouses: dict[str, str | None] = field(default_factory=dict)

    def overruled(self, *narrower: UnitRules | None) -> "StockSettings":
        """The same for something with rules of its own, the narrowest last."""
        settings = self
        for rules in narrower:
            if rules is not None:
                settings = replace(
                    settings,
                    buffer=settings.buffer if rules.buffer is None else rules.buffer,
                    percent=settings.percent if rules.percent is None else rules.percent,
                    end_when=settings.end_when if rules.end_when is None else rules.end_when,
                    maximum=settings.maximum if rules.maximum is None else rules.maximum,
                )
        return settings

    def sends_as(self, other: "StockSettings") -> bool:
        """Whether every listing is told the same, in the same warehouse."""
        pace = replace(self, enabled=other.enabled, interval_s=other.interval_s)
        return replace(pace, brake_percent=other.brake_percent, drift=other.drift) == other

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

    def offered(self, available: int, named: NamedLevels) -> int:
        """Units of a level that may be offered in this shop at all."""
        if named is None:
            return available
        return sum(one.available for one in named if self.settings.warehouses.get(one.warehouse, "") is not None)

    def quantities(
        self, available: int, named: NamedLevels, warehouse_id: str, *narrower: UnitRules | None
    ) -> tuple[tuple[str, int], ...]:
        """What the marketplace's warehouses are told, `warehouse_id` being the one that is chosen for the shop.

        The rules are about all of a level. Fewer units than there are go to the first warehouses.
        """
        if named is None and not self.settings.warehouses:
            # Most shops, and a line of them has fifty thousand listings.
            return ((warehouse_id, self.units(available, *narrower)),)
        told: list[tuple[str, int]] = []
        left = self.units(self.offered(available, named), *narrower)
        for place, there in self._places(available, named, warehouse_id).items():
            told.append((place, min(there, left)))
            left -= told[-1][1]
        return tuple(told)

    def _places(self, available: int, named: NamedLevels, warehouse_id: str) -> dict[str, int]:
        """Units by warehouse of the marketplace. A mapped one is the caller's: without a level it has none."""
        mapped = self.settings.warehouses
        there: dict[str, int] = {}
        for one in named or (WarehouseLevel("", available),):
            place = mapped.get(one.warehouse, warehouse_id)
            if place is not None:
                there[place] = there.get(place, 0) + one.available
        ours = [place for place in mapped.values() if place is not None]
        order = dict.fromkeys([warehouse_id, *ours])
        places = {place: there.get(place, 0) for place in order if place in there or place in ours}
        return places or {warehouse_id: 0}

    def units(self, available: int, *narrower: UnitRules | None) -> int:
        """Units to show, by the settings and what narrower rules make of them, the narrowest last."""
        by = self.settings.overruled(*narrower) if any(narrower) else self.settings
        return min(by.units(available), self.most_units)

    def reckoned(self, level: StockLevel, *narrower: UnitRules | None) -> Reckoning:
        """`units` of what may be offered of a level, with the way there."""
        by = self.settings.overruled(*narrower)
        maximum = by.maximum
        if self.most_units < MAX_UNITS:
            maximum = self.most_units if maximum is None else min(self.most_units, maximum)
        available, left = self.offered(level.available, level.warehouses), self.offered(*level.free)
        units = self.units(left, *narrower)
        return Reckoning(available, available - left, by.buffer, by.percent, by.end_when, maximum, units)
