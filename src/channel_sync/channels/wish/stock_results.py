"""The result files of a bulk update. Their layout is not published, so they are read with open eyes.

A line counts as refused when it has a code other than 0, or any error or message (wish-v3.md, section 6.2).
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from channel_sync.channels.wish.connection import Connection
from channel_sync.channels.wish.replies import readable

Refusal = tuple[str, str]


class _Product(Struct, gc=False):
    id: str | int | None = None
    product_id: str | int | None = None


class _Line(Struct, gc=False):
    id: str | int | None = None
    product_id: str | int | None = None
    product: _Product | None = None
    data: _Product | None = None
    code: int | str | None = None
    error: object = None
    errors: object = None
    message: object = None

    @property
    def named_product(self) -> str | None:
        for owner in (self, self.product, self.data):
            id = None if owner is None else owner.product_id or owner.id
            if id:
                return str(id)
        return None

    @property
    def refusal(self) -> Refusal | None:
        words = self.message or self.error or self.errors
        has_code = self.code not in (None, 0, "0", "")
        if not (has_code or words):
            return None
        return readable(str(self.code)) if has_code else "refused", _reason(words)


_LINE = msgspec.json.Decoder(_Line)


async def refusals(connection: Connection, file_urls: Sequence[str]) -> dict[str, Refusal] | None:
    """Code and reason by product id; None when a line does not say which product it is about."""
    refused: dict[str, Refusal] = {}
    for url in file_urls:
        async for text in connection.lines(url):
            line = _line(text)
            if line is None or line.named_product is None:
                return None
            if line.refusal is not None:
                refused[line.named_product] = line.refusal
    return refused


def _line(text: bytes) -> _Line | None:
    try:
        return _LINE.decode(text)
    except (ValueError, RecursionError):
        return None


def _reason(words: object) -> str:
    """Wish's words, whatever they come as: a text, or a list or object of texts."""
    if isinstance(words, dict):
        words = [words.get("message") or list(words.values())]
    if isinstance(words, list):
        return readable("; ".join(_reason(word) for word in words)) or "Wish gave no reason."
    return readable(str(words)) if words else "Wish gave no reason."
