"""What storing a page of orders comes to, and which of its orders are better asked for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Row

from channel_sync.domain.orders import Change, OrderState, StoredVersion, change_of
from channel_sync.domain.runs import Counts
from channel_sync.persistence.rows.encryption import Cipher
from channel_sync.persistence.rows.prepared_orders import OrderRow, as_stored, digest_of
from channel_sync.persistence.rows.timestamps import moment

_ASKED_FOR_AT_ONCE = 20


class StoredChange(Struct, frozen=True, gc=False):
    """A new version of a stored order: what it was before, and what it is now; `went_back` in time."""

    before: OrderState
    row: OrderRow
    went_back: bool = False


@dataclass(frozen=True, slots=True)
class StoredPage:
    """What storing a page came to: how many of which kind, the rows created, and what was updated.

    `contradicting` are the marketplace's ids of orders that were left alone, to be asked for one by one.
    """

    counts: Counts
    created: list[OrderRow]
    updated: list[StoredChange]
    contradicting: Collection[str] = ()


class Decision(Struct, frozen=True, gc=False):
    """What a row means for the stored order: one that `contradicts` it is older, or differs at the same time."""

    stored: StoredVersion
    erased: bool
    change: Change
    contradicts: bool
    went_back: bool

    def as_change(self, row: OrderRow, cipher: Cipher) -> StoredChange:
        """The row as the next version of the stored order."""
        fresh = as_stored(row, self.stored.id, self.stored.version + 1, self.erased, cipher)
        return StoredChange(self.stored.state, fresh, self.went_back)


def decided(
    newest: Mapping[str, OrderRow], known: Mapping[str, Row[*tuple[Any, ...]]], asked_at: datetime | None
) -> dict[str, Decision]:
    """What the rows of known orders mean for them; one `asked_at` a moment stands unless it was stored since."""
    return {id: _decided(newest[id], stored, asked_at) for id, stored in known.items()}


def _decided(row: OrderRow, known: Row[*tuple[Any, ...]], asked_at: datetime | None) -> Decision:
    stored, erased, at = StoredVersion(*known[1:7]), known.erased, moment(row.channel_updated_at)
    change = change_of(stored, at, digest_of(row, erased))
    is_older = change is Change.IGNORED
    contradicts = is_older or (change is Change.UPDATED and at == stored.updated_at)
    went_back = is_older and asked_at is not None and stored.stored_at <= asked_at
    return Decision(stored, erased, Change.UPDATED if went_back else change, contradicts, went_back)


def contradicting_ids(decisions: Mapping[str, Decision]) -> set[str]:
    """Ids of the orders that differ from what is stored without being newer; none where they are many."""
    differing = {id for id, decision in decisions.items() if decision.contradicts}
    # So many at once were read in another way than before: by a release that reads more.
    return differing if len(differing) <= _ASKED_FOR_AT_ONCE else set()
