"""The budget of calls that several processes share for one integration."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CallAllowance:
    """What an integration may spend: calls a second, and how many of them at once after a rest."""

    rate_per_s: float
    burst: float


@dataclass(frozen=True, slots=True)
class CallLease:
    """Calls that may be made now; where they are too few, when to ask again or how long nobody may call."""

    calls: int
    ask_again_s: float = 0.0
    pause_s: float = 0.0


class SharedBudget(Protocol):
    """Gives out calls to all processes, never more than an integration may spend."""

    async def lease(self, integration_id: str, wanted: int, allowance: CallAllowance) -> CallLease:
        """Up to so many calls."""
        ...

    async def pause(self, integration_id: str, seconds: float, allowance: CallAllowance) -> None:
        """No process calls for the integration for so long."""
        ...
