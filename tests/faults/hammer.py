"""Callers that go on calling, whatever happens to what they call."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

_PAUSE_S = 0.05


@dataclass(frozen=True)
class Answer:
    """One answer, or with status 0 none."""

    at: float
    took_s: float
    status: int
    code: str


@dataclass
class Hammer:
    """Makes one call again and again from a thread of its own."""

    call: Callable[[], httpx.Response]
    answers: list[Answer] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Hammer":
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._ended.wait(_PAUSE_S):
            self.answers.append(self.once())

    def once(self) -> Answer:
        """What a single call brings."""
        asked = time.monotonic()
        try:
            answer = self.call()
            said = answer.json() if answer.status_code >= 400 else {}
            code = said.get("code") or said.get("reason") or ""
            return Answer(asked, time.monotonic() - asked, answer.status_code, code)
        except httpx.HTTPError as error:
            return Answer(asked, time.monotonic() - asked, 0, type(error).__name__)
