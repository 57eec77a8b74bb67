"""A marketplace that is still there when its process is started again."""

import pickle
from pathlib import Path

from wish_simulator.marketplace import Marketplace

DAY_MS = 86_400_000


def remembered(file: Path) -> Marketplace | None:
    """The marketplace that an earlier process left in the file. Only for a file of one's own: it is a pickle."""
    if not file.exists():
        return None
    market = pickle.loads(file.read_bytes())
    return market if isinstance(market, Marketplace) else None


def remember(market: Marketplace, file: Path) -> None:
    """Leave the marketplace in the file, whole or not at all."""
    # What was going to happen cannot be written down, so it happens now.
    market.agenda.run_until(market.clock.now_ms() + DAY_MS)
    unfinished = file.with_suffix(".new")
    unfinished.write_bytes(pickle.dumps(market))
    unfinished.replace(file)
