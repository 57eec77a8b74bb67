"""Names of carriers: the marketplace's own, a tenant's words for them, and what a wrong one may have meant."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches

# Carriers come and go slowly; a name that is not known is looked for once more in a list that is older than this.
KEPT_FOR = timedelta(days=1)
FRESH_FOR = timedelta(minutes=10)
_MOST_SUGGESTIONS = 3
# "Royal Mail 48" is near "Royal Mail", "DPD" is not near "UPS".
_NEAR_ENOUGH = 0.6


@dataclass(frozen=True, slots=True)
class Carriers:
    """The names that a marketplace takes, as it had them at a moment."""

    names: tuple[str, ...]
    read_at: datetime

    def is_older(self, than: timedelta, now: datetime) -> bool:
        """Whether the list was read so long ago; one from the future was written by a clock that was set back."""
        return not timedelta(0) <= now - self.read_at < than


@dataclass(frozen=True, slots=True)
class CarrierAlias:
    """A tenant's word for a marketplace's carrier."""

    alias: str
    carrier: str

    @property
    def key(self) -> str:
        """What the word is found by."""
        return folded(self.alias)


def folded(name: str) -> str:
    """The name without regard to case and to how many spaces stand where."""
    return " ".join(name.split()).casefold()


def carrier_named(given: str, names: Collection[str], aliases: Mapping[str, str]) -> str | None:
    """The marketplace's name for what a caller calls a carrier; nothing where it has none.

    The marketplace's own names come before a tenant's words.
    """
    known = {folded(name): name for name in names}
    wanted = folded(given)
    return known.get(wanted) or known.get(folded(aliases.get(wanted, "")))


def near_misses(given: str, names: Sequence[str], aliases: Mapping[str, str]) -> tuple[str, ...]:
    """The marketplace's names that may have been meant, the nearest first."""
    known = {folded(name): name for name in names}
    words = {**{alias: carrier for alias, carrier in aliases.items() if carrier in names}, **known}
    wanted = folded(given)
    longer = [word for word in words if word.startswith(f"{wanted} ") or wanted.startswith(f"{word} ")]
    near = get_close_matches(wanted, words, n=2 * _MOST_SUGGESTIONS, cutoff=_NEAR_ENOUGH)
    return tuple(dict.fromkeys(words[word] for word in (*longer, *near)))[:_MOST_SUGGESTIONS]
