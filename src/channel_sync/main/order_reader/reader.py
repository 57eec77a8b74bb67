"""Large pages of orders read by a helper process, or here when there is none."""

import asyncio
import logging
import os
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from threading import Lock

from pydantic import SecretStr

from channel_sync.channels.registry import MARKETPLACES
from channel_sync.domain.orders import UnreadPage
from channel_sync.flows.orders.prepare import PageContext, ReadyPage, ready
from channel_sync.main.order_reader.process import question, ready_page, receive, send
from channel_sync.persistence.rows.prepared_orders import PersonalParts
from channel_sync.setting_values import PREFIX

_log = logging.getLogger(__name__)

_END_S = 2.0
# A page takes some 25 ms. Longer than this would keep a stop of the service from its 25 s.
_PATIENCE_S = 5.0
# A page lies here whole while another is worked on. Where the system allows less (net.core.wmem_max), its sender
# waits.
_ROOM_BETWEEN = 2 << 20
# While the helper works on one page, another is handed over or taken over.
_PAGES_AT_ONCE = 2
# The C library gives blocks of a page's size back to the system at once and gets them again, cleared, a page
# later: a tenth of the helper's time.
_KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(64 << 20)}


class Helper:
    """The helper process, started when it is first asked. It answers one question after the other.

    One that is silent for `patience_s` once it is ready, stopped or stuck, counts as lost.

    A pool of the standard library's would unpickle what it answers, and a pickle acts; it takes an answer of any
    length, waits for one that is stuck for good, and costs the service 40 % more.
    """

    def __init__(self, keys: SecretStr, patience_s: float = _PATIENCE_S) -> None:
        self._keys = keys
        self._patience_s = patience_s
        # Whoever takes both takes them in this order.
        self._sending = Lock()
        self._receiving = Lock()
        self._lost = False
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def ask(self, *messages: bytes | bytearray | memoryview) -> bytearray | None:
        """The answer, or None where the helper is lost; a later question starts another.

        A question goes out while the one before it is answered, so that the helper never waits for us.
        """
        answer = self._answer(messages)
        if answer is None:
            with self._sending, self._receiving:
                if self._lost:
                    self._end()
        return answer

    def _answer(self, messages: Sequence[bytes | bytearray | memoryview]) -> bytearray | None:
        with self._sending:
            if self._lost:
                return None
            try:
                helper = self._socket or self._start()
                for message in messages:
                    send(helper, message)
            except (EOFError, OSError):
                self._lose()
                return None
            # Before anyone else may send: answers come in the order of questions.
            self._receiving.acquire()
        answer = None
        try:
            # What can still be read from a lost one may answer another question.
            if not self._lost:
                answer = receive(helper)
        except (EOFError, OSError):
            return None
        finally:
            if answer is None:
                self._lose()
            self._receiving.release()
        return answer

    def _lose(self) -> None:
        """Give the helper up, with every question it has; nobody waits for it any more."""
        self._lost = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _start(self) -> socket.socket:
        self._socket, theirs = socket.socketpair()
        with theirs:
            _wait_at_most(_PATIENCE_S, self._socket)
            for end in (self._socket, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM_BETWEEN)
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "channel_sync.main.order_reader.process"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=_environment(),
            )
        send(self._socket, self._keys.get_secret_value().encode())
        receive(self._socket)
        _wait_at_most(self._patience_s, self._socket)
        return self._socket

    def end(self) -> None:
        """End the process after the questions it has, if there are any."""
        with self._sending, self._receiving:
            self._end()

    def _end(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            try:
                self._process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._socket = self._process = None
        self._lost = False


def _wait_at_most(seconds: float, helper: socket.socket) -> None:
    patience = struct.pack("ll", int(seconds), round(seconds % 1 * 1_000_000))
    for wait in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        helper.setsockopt(socket.SOL_SOCKET, wait, patience)


def _environment() -> dict[str, str]:
    """Ours without our settings, which hold secrets. Memory for whole pages is kept and used again."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return others | _KEEP_MEMORY


class HelpedReader:
    """Reads pages by a helper. A page whose reading was begun is read to its end."""

    def __init__(self, helper: Helper, parts: PersonalParts) -> None:
        self._helper = helper
        self._parts = parts
        self._threads = ThreadPoolExecutor(_PAGES_AT_ONCE, "order-helper")

    async def read(self, page: UnreadPage, context: PageContext) -> ReadyPage:
        """The page made ready."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._threads, self._read, page, context))

    def _read(self, page: UnreadPage, context: PageContext) -> ReadyPage:
        message = self._helper.ask(*question(page, context))
        try:
            if message is not None:
                return ready_page(message, page)
        except ValueError:
            _log.error("The process that reads orders answered what is no answer; the page is read here.")
        else:
            _log.warning("The process that reads orders was lost; the page is read here.")
        return ready(MARKETPLACES[context.channel].read_page(page), context, self._parts)

    async def close(self) -> None:
        """End the helper, after the pages being read: one read later would start another."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        await asyncio.to_thread(self._helper.end)


@asynccontextmanager
async def page_reader(keys: SecretStr, parts: PersonalParts) -> AsyncIterator[HelpedReader]:
    """A reader whose helper ends with it."""
    reader = HelpedReader(Helper(keys), parts)
    try:
        yield reader
    finally:
        await reader.close()
