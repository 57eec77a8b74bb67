"""ETag, If-Match and If-None-Match: the version of an integration, and what was shown of it."""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Annotated, Any

import msgspec
from fastapi import Header, Response

from channel_sync.domain.errors import StaleVersion

_STRONG_TAG = re.compile(r'"([0-9]{1,18})(?:-[0-9a-f]{16})?"')
_DIGEST_BYTES = 8

IfMatch = Annotated[
    str | None,
    Header(
        description='`ETag` of the version that is changed, or its `version` as `"3"`. Stale: 412. '
        "Left out: last write wins."
    ),
]

# What the contract says of an operation whose answer has an ETag.
CONDITIONAL: dict[str, Any] = {
    "parameters": [
        {
            "name": "if-none-match",
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": "`ETag` of what you have. Nothing new: 304 without a body.",
        }
    ]
}
_HEADER = {
    "description": "Stands for what is shown, but for ages that grow by themselves.",
    "schema": {"type": "string"},
}
TAGGED: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": _HEADER}},
    304: {"description": "Nothing is new.", "headers": {"ETag": _HEADER}},
}


def tag(response: Response, version: int, shown: Mapping[str, Any]) -> None:
    """Give the answer the ETag of what it shows.

    It begins with the version, which is what `If-Match` insists on. The rest tells apart what changes without one:
    when jobs ran, and how they went.
    """
    digest = blake2b(msgspec.json.encode(_lasting(shown)), digest_size=_DIGEST_BYTES).hexdigest()
    response.headers["ETag"] = f'"{version}-{digest}"'


def _lasting(shown: Any) -> Any:
    """The same without how many seconds old things are: that there is a lag is news, that it grows is none."""
    if not isinstance(shown, Mapping):
        return shown
    return {name: bool(value) if name.endswith("lag_s") else _lasting(value) for name, value in shown.items()}


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
