"""The query of a request: nothing in it that its operation does not know, for that would be passed over."""

from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.datastructures import QueryParams

from channel_sync.api.http.field_errors import MAX_FIELD_ERRORS, told


def parameters_of(dependant: Dependant) -> frozenset[str]:
    """The names of the query parameters of an operation and of all that it depends on."""
    return frozenset(_names(dependant))


def _names(dependant: Dependant) -> Iterator[str]:
    for parameter in dependant.query_params:
        shape = parameter.field_info.annotation
        if isinstance(shape, type) and issubclass(shape, BaseModel):
            yield from (member.alias or name for name, member in shape.model_fields.items())
        else:
            yield parameter.alias
    for inner in dependant.dependencies:
        yield from _names(inner)


def check_query(query: QueryParams, known: frozenset[str]) -> None:
    """A 422 names what is unknown, stands twice, or holds NUL, which PostgreSQL could not even be asked for."""
    wrong: list[dict[str, object]] = []
    for name in dict.fromkeys(query):
        values = query.getlist(name)
        if name not in known:
            wrong.append(_error(told(name), "unknown_parameter", "There is no such query parameter here."))
        elif len(values) > 1:
            wrong.append(_error(name, "repeated_parameter", "Give this once."))
        elif "\0" in values[0]:
            wrong.append(_error(name, "invalid_character", "This holds NUL."))
        if len(wrong) == MAX_FIELD_ERRORS:
            break
    if wrong:
        raise RequestValidationError(wrong)


def _error(parameter: str, code: str, message: str) -> dict[str, object]:
    return {"type": code, "loc": ("query", parameter), "msg": message}
