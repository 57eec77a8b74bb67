"""Jobs that prepare or digest files, and the files themselves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from wish_simulator.clock import TimeSuffix, written
from wish_simulator.documents import Document
from wish_simulator.ids import object_id, random_token
from wish_simulator.order_files import Writer


class JobKind(StrEnum):
    ORDERS = "orders"
    CATALOGUE = "catalogue"
    UPDATE = "update"


class JobStatus(StrEnum):
    PENDING = "PENDING"
    CREATING = "CREATING"
    READY = "READY"
    EXCEPTION = "EXCEPTION"


@dataclass
class Job:
    kind: JobKind
    created_ms: int
    due_ms: int
    total: int = 0
    processed: int = 0
    status: JobStatus = JobStatus.PENDING
    completed_ms: int | None = None
    expires_ms: int | None = None
    file_names: list[str] | None = None
    id: str = field(default_factory=object_id)

    def finish(self, status: JobStatus, at_ms: int) -> None:
        self.status = status
        self.completed_ms = at_ms

    def document(self, url_of: Callable[[str], str], suffix: TimeSuffix) -> Document:
        document: Document = {
            "id": self.id,
            "status": self.status,
            "total_count": self.total,
            "processed_count": self.processed,
            "created_at": written(self.created_ms, suffix),
            "file_urls": None if self.file_names is None else [url_of(name) for name in self.file_names],
        }
        if self.completed_ms is not None:
            document["completed_at"] = written(self.completed_ms, suffix)
        if self.kind is JobKind.ORDERS and self.expires_ms is not None:
            document["expiry_time"] = written(self.expires_ms, suffix)
        return document


@dataclass(frozen=True)
class StoredFile:
    lines: Sequence[bytes] = field(repr=False)
    expires_ms: int


class Files:
    """Files of lines under unguessable names, as on a storage host: no bearer needed, gone after a while."""

    def __init__(self) -> None:
        self._files: dict[str, StoredFile] = {}

    def store(self, lines: Sequence[bytes], most_lines: int, expires_ms: int, write: Writer) -> list[str]:
        """The names of the files, each as it is written of its lines; an empty download is one file."""
        starts = range(0, max(len(lines), 1), most_lines)
        return [self._store(StoredFile(write(lines[start : start + most_lines]), expires_ms)) for start in starts]

    def find(self, name: str, now_ms: int) -> StoredFile | None:
        stored = self._files.get(name)
        return stored if stored is not None and stored.expires_ms > now_ms else None

    def _store(self, stored: StoredFile) -> str:
        name = random_token()
        self._files[name] = stored
        return name
