"""The result files of a bulk update. Their layout is not published, so they are read with open eyes.

A line counts as refused when it has a code other than 0, or any error or message (v3 document, July 2026).
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Raw, Struct

from channel_sync.channels.wish.caps import MOST_WORDS_BYTES, Reference, WholeNumber, Words
from channel_sync.channels.wish.connection import WishConnection
from channel_sync.channels.wish.lenient import DECIDES, Unfit, read_members
from channel_sync.channels.wish.plain_text import clean
from channel_sync.channels.wish.replies import readable

Refusal = tuple[str, str]

_ABSENT = Raw(b"null")
_NO_WORDS = "Wish gave no reason."
# A list of objects of texts is two; what is deeper says nothing to a person.
_DEEPEST_WORDS = 5


class _Product(Struct, gc=False):
    id: Annotated[Reference | None, DECIDES] = None
    product_id: Annotated[Reference | None, DECIDES] = None


class _Line(Struct, gc=False):
    id: Annotated[Reference | None, DECIDES] = None
    product_id: Annotated[Reference | None, DECIDES] = None
    product: _Product | None = None
    data: _Product | None = None
    code: Annotated[WholeNumber | Words | None, DECIDES] = None
    error: Raw = _ABSENT
    errors: Raw = _ABSENT
    message: Raw = _ABSENT

    @property
    def named_product(self) -> str | None:
        for owner in (self, self.product, self.data):
            id = None if owner is None else owner.product_id or owner.id
            if id:
                return str(id)
        return None

    @property
    def refusal(self) -> Refusal | None:
        words = _words(self.message) or _words(self.error) or _words(self.errors)
        has_code = self.code not in (None, 0, "0", "")
        if not (has_code or words):
            return None
        return readable(str(self.code)) if has_code else "refused", _reason(words)


_LINE = msgspec.json.Decoder(_Line)


async def refusals(connection: WishConnection, file_urls: Sequence[str]) -> dict[str, Refusal] | None:
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
    text = clean(text)
    try:
        return _LINE.decode(text)
    except (ValueError, RecursionError):
        pass
    try:
        return read_members(_Line, text, [])
    except Unfit:
        return None


def _words(text: Raw) -> object:
    """What stands there, whatever it is; of what is too much to be words, only that there is something."""
    try:
        return msgspec.json.decode(text) if len(bytes(text)) <= MOST_WORDS_BYTES else _NO_WORDS
    except (ValueError, RecursionError):
        return _NO_WORDS


def _reason(words: object, depth: int = 0) -> str:
    """Wish's words, whatever they come as: a text, or a list or object of texts."""
    if depth > _DEEPEST_WORDS:
        return _NO_WORDS
    if isinstance(words, dict):
        words = [words.get("message") or list(words.values())]
    if isinstance(words, list):
        return readable("; ".join(_reason(word, depth + 1) for word in words)) or _NO_WORDS
    return readable(str(words)) if words else _NO_WORDS
