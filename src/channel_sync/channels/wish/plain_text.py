"""Text that every part of the house can hold: no NUL, no half of a surrogate pair, real UTF-8.

All of it in a few passes of the C library: a megabyte of escapes takes milliseconds.
"""

import re

_REPLACEMENT = b"\\ufffd"
# A high half without a low one behind it, and a low one without a high one before it.
_HALF = re.compile(
    rb"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD])[c-fC-F][0-9a-fA-F]{2})"
)
# They are the only ones looked at one by one. Ten thousand emoji have fewer; what has more is not read.
_MOST_HALVES = 20_000


def clean(text: bytes) -> bytes:
    """JSON with U+FFFD in place of everything that cannot be stored; the same object when there is nothing."""
    if not text.isascii():
        text = _as_utf8(text)
    # One byte is found ten times faster than two, and most orders have no escape at all.
    if b"\\" not in text:
        return text
    halves = text.count(rb"\ud") + text.count(rb"\uD")
    # What has a NUL is no JSON anyway.
    if b"\0" in text or not (halves or rb"\u0000" in text):
        return text
    # With escaped backslashes out of the way every backslash begins an escape.
    text = text.replace(rb"\\", b"\0").replace(rb"\u0000", _REPLACEMENT)
    if 0 < halves <= _MOST_HALVES:
        text = _HALF.sub(rb"\\ufffd", text)
    return text.replace(b"\0", rb"\\")


def is_sanitised(cleaned: bytes, raw: bytes) -> bool:
    """Whether something was replaced, now or when the reply came in; Wish's own U+FFFD counts too."""
    return cleaned != raw or (b"\\" in raw and _REPLACEMENT in raw)


def _as_utf8(text: bytes) -> bytes:
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode(errors="replace").encode()
    return text
