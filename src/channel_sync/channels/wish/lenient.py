"""Replies read member by member, for those that do not fit their shape as a whole.

Two tiers. What has no default in a shape, or is marked `DECIDES`, is read strictly: without it the whole is unfit.
Everything else is left out where it does not fit, and noted. Either way the text of a number is a number, and a
number where there should be text is its text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import NoneType
from typing import Annotated, Any, Final, Protocol, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta, Raw, Struct

from channel_sync.channels.wish.caps import MOST_NOTES
from channel_sync.domain.orders import Flaw, Note

Shape = TypeVar("Shape", bound=Struct)
Text = bytes | bytearray | memoryview | Raw
Notes = list[Note]

DECIDES: Final = Meta(extra={"decides": True})

_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_ELEMENTS = msgspec.json.Decoder(list[Raw])
_TEXT = msgspec.json.Decoder(str)
_WHOLE = re.compile(rb'"?(-?[0-9]{1,18})(?:\.0{1,9})?"?')
_NUMBER = re.compile(rb"-?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_COMPLAINTS = (
    ("Expected `str` of length <=", Flaw.TOO_LONG),
    ("Expected `str` of length >=", Flaw.BAD_ID),
    ("Expected `array` of length <=", Flaw.TOO_MANY),
    ("Expected `int` ", Flaw.OUT_OF_RANGE),
    ("Integer value out of range", Flaw.OUT_OF_RANGE),
    ("Expected `", Flaw.WRONG_TYPE),
    ("Invalid RFC3339", Flaw.BAD_TIME),
    ("Invalid decimal", Flaw.BAD_AMOUNT),
    ("maximum recursion", Flaw.TOO_DEEP),
)


class Unfit(Exception):
    """What decides cannot be used: why, and where in the reply. The value is not kept."""

    def __init__(self, flaw: Flaw, pointer: str) -> None:
        super().__init__(flaw)
        self.flaw = flaw
        self.pointer = pointer


def note(notes: Notes, flaw: Flaw, pointer: str) -> None:
    """Note what was left out or mended; of a reply that is all wrong, the first few."""
    if len(notes) < MOST_NOTES:
        notes.append(Note(flaw, pointer))


def read_members(shape: type[Shape], text: Text, notes: Notes, pointer: str = "") -> Shape:
    """The JSON object in the text, without what does not fit; `Unfit` where that decides."""
    members = _decoded(_MEMBERS, text, pointer)
    values: dict[str, Any] = {}
    for member in _plan(shape):
        place = f"{pointer}/{member.name}"
        try:
            if member.name in members:
                values[member.name] = member.read(members[member.name], notes, place)
            elif member.is_required:
                raise Unfit(Flaw.MISSING_MEMBER, place)
        except Unfit as unfit:
            if member.decides:
                raise
            note(notes, unfit.flaw, unfit.pointer)
    return shape(**values)


def flaw_of(error: Exception) -> Flaw:
    """What the decoder did not like."""
    text = str(error)
    return next((flaw for start, flaw in _COMPLAINTS if text.startswith(start)), Flaw.NOT_JSON)


class Read(Protocol):
    """Reads one value; `Unfit` where it does not fit."""

    def __call__(self, text: Raw, notes: Notes, pointer: str) -> Any:
        """The value, or what is left of it."""
        ...


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    read: Read
    is_required: bool
    decides: bool


@lru_cache
def _plan(shape: type[Struct]) -> tuple[_Member, ...]:
    """How to read each member of the shape."""
    plan = []
    for one in msgspec.structs.fields(shape):
        decides = one.required or bool(_extra(one.type, "decides"))
        plan.append(_Member(one.encode_name, _reader(one.type, decides), one.required, decides))
    return tuple(plan)


def _reader(hint: Any, decides: bool) -> Read:
    options = [one for one in _options(hint) if one is not NoneType]
    is_optional = len(options) < len(_options(hint))
    first = _bare(options[0])
    if first is Raw:
        return _as_it_is
    if isinstance(first, type) and issubclass(first, Struct):
        return _StructReader(first, is_optional)
    if get_origin(first) is list:
        return _ListReader(_reader(get_args(first)[0], decides), _most(options[0]), is_optional, decides)
    spell = _as_spelt if _extra(options[0], "exact") else _SPELLINGS.get(first, _as_spelt)
    longest = _most(options[0]) if _extra(options[0], "cut") else None
    return _ValueReader(msgspec.json.Decoder(hint), spell, longest, _extra(options[0], "flaw"))


def _as_it_is(text: Raw, notes: Notes, pointer: str) -> Raw:
    return text


def _as_spelt(text: Raw) -> bytes:
    return bytes(text)


def _as_number(text: Raw) -> bytes:
    """`"2"` and `2.0` are 2."""
    number = _WHOLE.fullmatch(text)
    return bytes(text) if number is None else number[1]


def _as_text(text: Raw) -> bytes:
    """`412` is `"412"`."""
    return b'"%b"' % bytes(text) if _NUMBER.fullmatch(text) else bytes(text)


_SPELLINGS: dict[type, Callable[[Raw], bytes]] = {int: _as_number, str: _as_text}


@dataclass(frozen=True, slots=True)
class _StructReader:
    shape: type[Struct]
    is_optional: bool

    def __call__(self, text: Raw, notes: Notes, pointer: str) -> Struct | None:
        is_null = self.is_optional and bytes(text) == b"null"
        return None if is_null else read_members(self.shape, text, notes, pointer)


@dataclass(frozen=True, slots=True)
class _ListReader:
    """Without the elements that do not fit, each of them noted; a list that decides has to fit as a whole."""

    read: Read
    most: int | None
    is_optional: bool
    decides: bool

    def __call__(self, text: Raw, notes: Notes, pointer: str) -> list[Any] | None:
        if self.is_optional and bytes(text) == b"null":
            return None
        texts = _decoded(_ELEMENTS, text, pointer)
        if self.most is not None and len(texts) > self.most:
            self._complain(Unfit(Flaw.TOO_MANY, pointer), notes)
        elements = []
        for position, element in enumerate(texts[: self.most]):
            try:
                elements.append(self.read(element, notes, f"{pointer}/{position}"))
            except Unfit as unfit:
                self._complain(unfit, notes)
        return elements

    def _complain(self, unfit: Unfit, notes: Notes) -> None:
        if self.decides:
            raise unfit
        note(notes, unfit.flaw, unfit.pointer)


@dataclass(frozen=True, slots=True)
class _ValueReader:
    """`longest`: what is longer is cut there. `flaw`: what it is called when it is out of range."""

    decoder: msgspec.json.Decoder[Any]
    spell: Callable[[Raw], bytes]
    longest: int | None
    flaw: Flaw | None

    def __call__(self, text: Raw, notes: Notes, pointer: str) -> Any:
        try:
            return self.decoder.decode(self.spell(text))
        except (ValueError, RecursionError) as error:
            found = flaw_of(error)
        if found is Flaw.TOO_LONG and self.longest is not None:
            note(notes, found, pointer)
            return _TEXT.decode(text)[: self.longest]
        raise Unfit(self.flaw if self.flaw is not None and found is Flaw.OUT_OF_RANGE else found, pointer)


def _decoded(decoder: msgspec.json.Decoder[Any], text: Text, pointer: str) -> Any:
    try:
        return decoder.decode(text)
    except (ValueError, RecursionError) as error:
        raise Unfit(flaw_of(error), pointer) from None


def _options(hint: Any) -> tuple[Any, ...]:
    """What a type may be: the members of a union, or itself alone."""
    bare = _bare(hint)
    return get_args(bare) if get_origin(bare) not in (None, list) else (hint,)


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _metas(hint: Any) -> tuple[Meta, ...]:
    return get_args(hint)[1:] if get_origin(hint) is Annotated else ()


def _extra(hint: Any, name: str) -> Any:
    return next((meta.extra[name] for meta in _metas(hint) if meta.extra and name in meta.extra), None)


def _most(hint: Any) -> int | None:
    return next((meta.max_length for meta in _metas(hint) if meta.max_length is not None), None)
