"""What a connection may cost before anybody knows who is at its other end."""

from dataclasses import dataclass

# Of a request line and its headers together, and as much again of what frames a body or follows it.
MAX_HEAD = 64 * 1024
MAX_HEADERS = 128
# Requests sent ahead on one connection, before the first of them is answered.
MAX_AHEAD = 16
# Of what is still sent after a refusal: it is read and thrown away, so that the refusal arrives.
MAX_IN_VAIN = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ConnectionBounds:
    """How many connections there may be at once, and how slow they may be. Durations in seconds.

    `keep_alive_s` lets a connection without a request rest; balancers must close theirs before that. A request's
    head has to be there `head_s` after its first byte, or after the connection was made. Of a body `least_bytes`
    have to come in each `body_s`, and of an answer so many have to be taken in each `answer_s`. What is still sent
    `unread_s` after an answer that did not need it ends the connection.
    """

    keep_alive_s: int = 75
    max_connections: int = 1000
    head_s: float = 10
    body_s: float = 10
    answer_s: float = 60
    least_bytes: int = 10 * 1024
    unread_s: float = 5


class SendProgress:
    """Whether a client takes what it is sent."""

    def __init__(self, now: float) -> None:
        self._unsent = 0
        self._since = now

    def stopped(self, unsent: int, now: float, bounds: ConnectionBounds) -> bool:
        """Whether, with so many bytes unsent, hardly any were taken for too long."""
        if unsent == 0 or unsent <= self._unsent - bounds.least_bytes:
            self._unsent, self._since = unsent, now
        self._unsent = max(self._unsent, unsent)
        return now - self._since > bounds.answer_s
