"""A process that reads large pages of orders for the service: two cores work, and no request waits behind a page.

`python -m channel_sync.main.order_reader.process` has one end of a socket pair as its standard input. The first
message is the key ring, answered by `READY`, each further one a page, each answered by its rows; the process ends
when the other end is closed, however that comes about. What it cannot answer ends it too: the service reads the
page itself then, and meets the same error where it is logged.
"""

import gc
import os
import signal
import socket
import sys

import msgspec

from channel_sync.channels.registry import MARKETPLACES, dictionaries
from channel_sync.domain.orders import UnreadableOrder, UnreadPage
from channel_sync.flows.orders.prepare import PageContext, ReadyPage, ready
from channel_sync.persistence.rows.compression import Compression
from channel_sync.persistence.rows.encryption import Cipher, parse_keys
from channel_sync.persistence.rows.event_rows import EventRow
from channel_sync.persistence.rows.prepared_orders import OrderRow, PersonalParts

# The service goes first where both want a core: it answers requests.
_NICENESS = 5
# A page makes some 10 000 objects that the collector follows; hardly one of them refers back to itself.
_OBJECTS_BEFORE_A_LOOK = 100_000
_LENGTH_BYTES = 8
# A page has 16 MB at most, and becomes less than this.
_LONGEST_MESSAGE = 256 << 20
READY = b"ready"
# What the process answers was made of a stranger's bytes: it is data of these shapes, and nothing that could act.
_Rows = tuple[list[OrderRow], list[EventRow], tuple[UnreadableOrder, ...]]
_encode = msgspec.msgpack.Encoder().encode
_decode_question = msgspec.msgpack.Decoder(tuple[str | None, PageContext]).decode
_decode_answer = msgspec.msgpack.Decoder(_Rows).decode


def question(page: UnreadPage, context: PageContext) -> tuple[bytes, bytes | bytearray | memoryview]:
    """The messages that ask for a page."""
    return _encode((page.channel_request_id, context)), page.content


def answer(asked: bytearray, content: bytearray, parts: PersonalParts) -> bytes:
    """The message that answers a question."""
    request_id, context = _decode_question(asked)
    page = MARKETPLACES[context.channel].read_page(UnreadPage(content, request_id, next=None, full=False))
    fresh = ready(page, context, parts)
    return _encode((fresh.rows, list(fresh.created.values()), fresh.unreadable))


def ready_page(message: bytearray, page: UnreadPage) -> ReadyPage:
    """The page that an answer is about, made ready; ValueError for what is no answer."""
    orders, events, unreadable = _decode_answer(message)
    by_row = {row.id: event for row, event in zip(orders, events, strict=True)}
    return ReadyPage(orders, by_row, unreadable, page.next, page.full, page.in_order)


def send(to: socket.socket, message: bytes | bytearray | memoryview) -> None:
    """Send a whole message."""
    to.sendall(len(message).to_bytes(_LENGTH_BYTES))
    to.sendall(message)


def receive(sender: socket.socket) -> bytearray:
    """A whole message, or `EOFError` once the other end is closed or says what is no length of one."""
    length = int.from_bytes(_receive(sender, bytearray(_LENGTH_BYTES)))
    if length > _LONGEST_MESSAGE:
        raise EOFError
    return _receive(sender, bytearray(length))


def _receive(sender: socket.socket, message: bytearray) -> bytearray:
    missing = memoryview(message)
    while len(missing):
        # A signal ends the wait for all of it early.
        count = sender.recv_into(missing, len(missing), socket.MSG_WAITALL)
        if not count:
            raise EOFError
        missing = missing[count:]
    return message


def main() -> int:
    """Answer until the other end is closed. An error's text may hold what an order holds, so it is not told."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(_NICENESS)
    gc.freeze()
    gc.set_threshold(_OBJECTS_BEFORE_A_LOOK)
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as service:
        try:
            cipher = Cipher(parse_keys(receive(service).decode()))
            parts = PersonalParts(cipher, Compression(dictionaries()))
            send(service, READY)
            while True:
                send(service, answer(receive(service), receive(service), parts))
        except (EOFError, OSError):
            return 0
        except Exception:
            return 1


if __name__ == "__main__":
    raise SystemExit(main())
