"""`fields=`: partial answers. Commas, `/` for nesting, parentheses to group, `*` for every member."""

from typing import Any

from wish_simulator.refusals import invalid

Selection = dict[str, "Selection"]

_END = ""


def parsed_selection(text: str) -> Selection:
    """`a,b/c(d,*)` as a tree; an empty branch means the whole value."""
    selection, rest = _list(text, 0)
    if rest != len(text):
        raise invalid("fields cannot be read")
    return selection


def select(value: Any, selection: Selection) -> Any:
    if not selection:
        return value
    if isinstance(value, list):
        return [select(element, selection) for element in value]
    if not isinstance(value, dict):
        return value
    return {name: select(value[name], _branch(selection, name)) for name in value if _wanted(selection, name)}


def _wanted(selection: Selection, name: str) -> bool:
    return name in selection or "*" in selection


def _branch(selection: Selection, name: str) -> Selection:
    return selection[name] if name in selection else selection["*"]


def _list(text: str, start: int) -> tuple[Selection, int]:
    selection: Selection = {}
    at = start
    while True:
        at = _path(text, at, selection)
        if _char(text, at) != ",":
            return selection, at
        at += 1


def _path(text: str, start: int, into: Selection) -> int:
    end = start
    while _char(text, end) not in (_END, ",", "/", "(", ")"):
        end += 1
    name = text[start:end].strip()
    if not name:
        raise invalid("fields cannot be read")
    branch = into.setdefault(name, {})
    match _char(text, end):
        case "/":
            return _path(text, end + 1, branch)
        case "(":
            inner, close = _list(text, end + 1)
            if _char(text, close) != ")":
                raise invalid("fields cannot be read")
            branch.update(inner)
            return close + 1
        case _:
            return end


def _char(text: str, at: int) -> str:
    return text[at] if at < len(text) else _END
