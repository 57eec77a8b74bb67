"""Trouble on demand: the next n matching calls go wrong in a chosen way, or wait until they are let go."""

import asyncio
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec

Way = Literal[
    "refuse",
    "refuse_after",
    "html_502",
    "drop",
    "drop_after",
    "timeout_after",
    "delay",
    "slow_drip",
    "truncated",
    "cut",
    "custom",
]
AFTER_EFFECT = frozenset(("refuse_after", "drop_after", "timeout_after", "slow_drip", "truncated", "cut"))


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`path` may hold `*`; `status`, `code`, `text`, `headers` say what is answered, `seconds` how slowly."""

    path: str = "*"
    method: str | None = None
    times: Annotated[int, msgspec.Meta(ge=1)] = 1
    skip: Annotated[int, msgspec.Meta(ge=0)] = 0
    way: Way
    status: int = 500
    code: int = 90001
    seconds: Annotated[float, msgspec.Meta(ge=0, le=600)] = 1
    text: str = ""
    headers: dict[str, str] = {}

    @property
    def has_effect(self) -> bool:
        """Whether the call is carried out before it goes wrong."""
        return self.way in AFTER_EFFECT


class Hold(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Calls that match wait, before or after their effect, until released; with `times` only the next so many."""

    path: str = "*"
    method: str | None = None
    when: Literal["before", "after"] = "before"
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None


def _matches(rule: Fault | Hold, method: str, path: str) -> bool:
    return rule.method in (None, method) and fnmatchcase(path, rule.path)


class Faults:
    def __init__(self) -> None:
        self.armed: list[Fault] = []
        self.holds: list[Hold] = []
        self.waiting = 0
        self._released = asyncio.Event()

    def arm(self, fault: Fault) -> None:
        self.armed.append(fault)

    def hold(self, hold: Hold) -> None:
        self.holds.append(hold)

    def release(self) -> None:
        """Lets every waiting call go and holds no more."""
        self.holds.clear()
        self._released.set()
        self._released = asyncio.Event()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this call, counted off; None when it shall go well."""
        for fault in self.armed:
            if not _matches(fault, method, path):
                continue
            if fault.skip:
                fault.skip -= 1
                return None
            fault.times -= 1
            if fault.times == 0:
                self.armed.remove(fault)
            return fault
        return None

    async def wait_if_held(self, method: str, path: str, when: Literal["before", "after"]) -> None:
        if not self._is_held(method, path, when):
            return
        released = self._released
        self.waiting += 1
        try:
            await released.wait()
        finally:
            self.waiting -= 1

    def _is_held(self, method: str, path: str, when: Literal["before", "after"]) -> bool:
        for hold in self.holds:
            if hold.when != when or not _matches(hold, method, path):
                continue
            if hold.times is not None:
                hold.times -= 1
                if hold.times == 0:
                    self.holds.remove(hold)
            return True
        return False
