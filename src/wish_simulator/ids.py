"""Identifiers in the shapes Wish uses."""

import itertools
import re
import secrets
import time

OBJECT_ID = re.compile(r"[0-9a-f]{24}")

_machine = secrets.token_hex(5)
_counter = itertools.count(int.from_bytes(secrets.token_bytes(2)))


def object_id() -> str:
    """24 hex digits that sort by the second they were made in, like a BSON object id."""
    return f"{int(time.time()):08x}{_machine}{next(_counter) & 0xFFFFFF:06x}"


def is_object_id(text: str) -> bool:
    return OBJECT_ID.fullmatch(text) is not None


def random_token() -> str:
    """32 hex digits: the form of codes, tokens and secrets seen in the field."""
    return secrets.token_hex(16)
