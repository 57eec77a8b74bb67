"""Wish's asynchronous jobs: over the orders of a window, the whole catalogue, or many products."""

from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from channel_sync.channels.wish.caps import MOST_FILES, Id, Word
from channel_sync.channels.wish.lenient import DECIDES
from channel_sync.channels.wish.replies import Reply, not_understood
from channel_sync.domain.job_state import JobState
from channel_sync.domain.order_files import OrderJob

_STATES = {"READY": JobState.READY, "EXCEPTION": JobState.FAILED}
_ADDRESSES: msgspec.json.Decoder[list[str] | None] = msgspec.json.Decoder(
    Annotated[list[str], Meta(max_length=MOST_FILES)] | None
)
_TOTAL: msgspec.json.Decoder[float] = msgspec.json.Decoder(Annotated[float, Meta(ge=0, le=1e9)])


class WishJob(Struct, gc=False):
    """A job as Wish shows it. Where its files are is read once they are there."""

    id: Id
    status: Annotated[Word | None, DECIDES] = None
    file_urls: Raw = Raw(b"null")
    total_count: Raw = Raw(b"null")

    @property
    def state(self) -> JobState:
        """Where the job is; a word we do not know is no end."""
        return _STATES.get(self.status or "", JobState.PENDING)


def job_id(reply: Reply) -> str:
    """The id of the job that was queued."""
    return str(reply.read(WishJob).id)


def job_of(reply: Reply) -> tuple[JobState, tuple[str, ...]]:
    """Where the job is, and its files once it is READY: all of them decide, for one left out would be missed."""
    job = reply.read(WishJob)
    if job.state is not JobState.READY:
        return job.state, ()
    try:
        return job.state, tuple(_ADDRESSES.decode(job.file_urls) or ())
    except (ValueError, RecursionError):
        raise not_understood("unexpected_shape", "The files are no list of addresses.", reply.request_id) from None


def order_job_of(reply: Reply) -> OrderJob:
    """An order download. One that is READY says how many orders it has: a number, of which Wish says no more."""
    state, urls = job_of(reply)
    if state is not JobState.READY:
        return OrderJob(state)
    try:
        total = int(_TOTAL.decode(reply.read(WishJob).total_count))
    except (ValueError, RecursionError):
        raise not_understood("unexpected_shape", "The job says no number of orders.", reply.request_id) from None
    return OrderJob(state, total, urls, reply.request_id)
