"""ETag and If-Match: an integration's version in HTTP."""

import re
from typing import Annotated

from fastapi import Header

from channel_sync.domain.errors import StaleVersion

_STRONG_TAG = re.compile(r'"([0-9]{1,18})"')

IfMatch = Annotated[
    str | None,
    Header(description='`ETag` of the version that is changed, as `"3"`. Stale: 412. Left out: last write wins.'),
]


def etag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def allowed_versions(if_match: str | None) -> frozenset[int] | None:
    """The versions that the change may meet, or None for any. Text that is no ETag of ours meets none."""
    if if_match is None or if_match.strip() == "*":
        return None
    tags = (_STRONG_TAG.fullmatch(part.strip()) for part in if_match.split(","))
    return frozenset(int(tag[1]) for tag in tags if tag is not None)


def expected_version(if_match: str | None, current: int) -> int | None:
    """The version to insist on when saving. `StaleVersion` if the present one is not among those allowed."""
    allowed = allowed_versions(if_match)
    if allowed is None:
        return None
    if current not in allowed:
        raise StaleVersion
    return current
