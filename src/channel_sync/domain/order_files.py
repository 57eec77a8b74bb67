"""Long histories: orders that a marketplace writes into files, and how far we are with them."""

from dataclasses import dataclass
from datetime import datetime

from channel_sync.domain.job_state import JobState
from channel_sync.domain.orders import OrderPage, UnreadPage


@dataclass(frozen=True, slots=True)
class OrderJob:
    """A download of orders at the marketplace. Once READY it says how many `orders` its files have."""

    state: JobState
    orders: int = 0
    file_urls: tuple[str, ...] = ()
    channel_request_id: str | None = None


@dataclass(frozen=True, slots=True)
class OrderFilePart:
    """Some orders of a file, read or not. With it so many more `values` of the file are done."""

    page: OrderPage | UnreadPage
    values: int


@dataclass(frozen=True, slots=True)
class HistoryDownload:
    """A download at the marketplace of a run's orders from `since` on, and what of it is stored.

    Without `channel_job_id` there is none to follow: its answer was lost, or it came to nothing. Of its files all
    before `file` are stored, and of that one the first `passed` values; `seen` are all of them.
    """

    since: datetime
    asked_at: datetime
    channel_job_id: str | None = None
    file: int = 0
    passed: int = 0
    seen: int = 0
