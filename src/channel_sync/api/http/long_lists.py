"""Lists of a body, whose faults are looked for only until there are enough of them to tell."""

from typing import Any

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import InitErrorDetails, PydanticCustomError

from channel_sync.api.http.field_errors import MAX_FIELD_ERRORS

_ITEMS_AT_ONCE = 20


def _until_enough_faults(given: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    if not isinstance(given, list):
        return validate(given)
    items: list[Any] = []
    faults: list[InitErrorDetails] = []
    for start in range(0, len(given), _ITEMS_AT_ONCE):
        try:
            items += validate(given[start : start + _ITEMS_AT_ONCE])
        except ValidationError as error:
            faults += _faults(error, start)
        if len(faults) >= MAX_FIELD_ERRORS:
            break
    if faults:
        raise ValidationError.from_exception_data("list", faults)
    return items


def _faults(error: ValidationError, start: int) -> list[InitErrorDetails]:
    """The same, of items that stand so much further on in the whole list."""
    return [
        {
            "type": PydanticCustomError(found["type"], found["msg"]),
            "loc": (int(found["loc"][0]) + start, *found["loc"][1:]),
            "input": None,
        }
        for found in error.errors(include_url=False, include_input=False)
    ]


# Pydantic collects every fault, and takes seconds over a body that is made of them.
STOPS_EARLY = WrapValidator(_until_enough_faults)
