"""Good JSON with one member gone wrong, in every way that has been met or can be thought of."""

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

_HERE = "\u2620here\u2620"
_PLACE = json.dumps(_HERE).encode()
_DEPTH = 3000

Path = tuple[str | int, ...]
# What stands in the place of a good member of that name.
Mutation = Callable[[Any, str | int], bytes]


def _raw(text: bytes) -> Mutation:
    """Other JSON in the member's place."""
    return lambda good, name: text


def _twice(good: Any, name: str | int) -> bytes:
    """The member as it should be, and then once more as null, which wins."""
    again = f"{json.dumps(name)}: null" if isinstance(name, str) else "null"
    return f"{json.dumps(good)}, {again}".encode()


MUTATIONS: dict[str, Mutation] = {
    "null": _raw(b"null"),
    "list": _raw(b"[]"),
    "object": _raw(b"{}"),
    "list_of_lists": _raw(b'[[["x"]]]'),
    "empty": _raw(b'""'),
    "text": _raw(b'"surprise"'),
    "number": _raw(b"7"),
    "fraction": _raw(b"-1.5"),
    "boolean": _raw(b"true"),
    "huge_text": _raw(b'"' + b"x" * 20_000 + b'"'),
    "huge_number": _raw(b"9" * 5000),
    "huge_exponent": _raw(b"1e100000000"),
    "deep": _raw(b"[" * _DEPTH + b"]" * _DEPTH),
    "nul": _raw(rb'"a\u0000b"'),
    "half": _raw(rb'"a\ud800b"'),
    "not_utf8": _raw(b'"a\xffb"'),
    "far_future": _raw(b'"9999-12-31T23:59:59.999Z"'),
    "far_past": _raw(b'"0001-01-01T00:00:00Z"'),
    "duplicate": _twice,
}
# As above, but the member is not there at all.
MISSING = "missing"
KINDS = (*MUTATIONS, MISSING)
# A run's worth each. Kinds that make the same of an id are apart.
GROUPS = tuple(KINDS[start::4] for start in range(4))


def mutants(document: Any, kinds: Sequence[str] = KINDS) -> Iterator[tuple[str, Path, bytes]]:
    """The kind, the place and the text of the document with each of its members gone wrong in each way."""
    return ((kind, path, mutant(document, kind, path)) for kind in kinds for path in paths(document))


def mutant(document: Any, kind: str, path: Path) -> bytes:
    """The document as text, that member gone wrong in that way."""
    changed = copy.deepcopy(document)
    owner: Any = changed
    for name in path[:-1]:
        owner = owner[name]
    good = owner.pop(path[-1]) if kind == MISSING else owner[path[-1]]
    if kind == MISSING:
        return json.dumps(changed).encode()
    owner[path[-1]] = _HERE
    return json.dumps(changed).encode().replace(_PLACE, MUTATIONS[kind](good, path[-1]))


def paths(document: Any) -> list[Path]:
    """Where each of the document's members is, those within others too."""
    return list(_paths(document, ()))


def _paths(value: Any, above: Path) -> Iterator[Path]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield (*above, name)
        yield from _paths(member, (*above, name))
