"""Work on text that the event loop is not to wait for."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Whatever the text, a few milliseconds' work.
AT_ONCE_BYTES = 128 * 1024


async def off_loop(size: int, work: Callable[[], T]) -> T:
    """What `work` on that many bytes comes to; on many in a thread, while the event loop goes on."""
    return work() if size <= AT_ONCE_BYTES else await asyncio.to_thread(work)
