"""JSON as the marketplace keeps it: trees read from and written to bytes."""

from typing import Any

import msgspec

Document = dict[str, Any]


def to_bytes(value: object) -> bytes:
    return msgspec.json.encode(value)


def from_bytes(content: bytes) -> Any:
    return msgspec.json.decode(content)


def copied(document: Document) -> Document:
    """A deep copy; going through JSON is many times faster than `copy.deepcopy`."""
    copy: Document = from_bytes(to_bytes(document))
    return copy
