"""Where a browser may be sent when a connection is done: exact origins only."""

from collections.abc import Collection
from urllib.parse import urlsplit

from channel_sync.domain.errors import Invalid

_LONGEST = 2048
_PORTS = {"http": 80, "https": 443}


def check_return_url(url: str | None, origins: Collection[str]) -> None:
    """`Invalid` unless the address is plain and its scheme, host and port are those of a listed origin."""
    if url is None:
        return
    origin = origin_of(url) if _is_plain(url) else None
    if origin is None or origin not in {origin_of(listed) for listed in origins}:
        raise Invalid("return_url_not_allowed", "The address is not at a listed origin.", "/return_url")


def _is_plain(url: str) -> bool:
    """Browsers read backslashes, spaces and control characters otherwise than we would."""
    return len(url) <= _LONGEST and url.isascii() and url.isprintable() and not set(url) & set(" \\#")


def origin_of(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; nothing where the address has no such parts, or a user's name in it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, _PORTS[parts.scheme] if port is None else port
