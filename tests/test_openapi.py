"""The committed contract is the running one, and every operation says what a caller needs to know."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.api.contract import DOCUMENT

COMMITTED = Path(__file__).parent.parent / "openapi" / "openapi.json"
OPERATIONS = [
    (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
NAMES = [operation["operationId"] for *_, operation in OPERATIONS]
each_operation = pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=NAMES)


def resolved(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer itself, where it is only referred to."""
    if "$ref" not in answer:
        return answer
    found: dict[str, Any] = DOCUMENT["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    return found


def media_of(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """The JSON that the operation takes and gives on success."""
    holders = [operation.get("requestBody", {})]
    holders += [answer for status, answer in operation["responses"].items() if status < "300"]
    contents = [holder.get("content", {}).get("application/json") for holder in holders]
    return [content for content in contents if content is not None]


def test_the_committed_file_is_the_running_contract():
    assert COMMITTED.read_text() == json.dumps(DOCUMENT, indent=2, ensure_ascii=False) + "\n"


def test_the_contract_is_valid_openapi():
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_the_contract_names_no_host():
    assert DOCUMENT["servers"] == [{"url": "/"}]
    hosts = set(re.findall(r"https?://([^/\"\\]+)", json.dumps(DOCUMENT)))
    assert {host for host in hosts if not host.endswith("example.com")} == set()


def test_the_framework_left_no_error_shape_of_its_own():
    assert "HTTPValidationError" not in json.dumps(DOCUMENT)


def test_operation_ids_are_snake_case_and_unlike():
    assert len(set(NAMES)) == len(NAMES)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", name) for name in NAMES)


@each_operation
def test_an_operation_has_a_summary_a_description_and_a_tag(path, method, operation):
    assert re.fullmatch(r"[A-Z][^.]{5,70}", operation["summary"])
    assert len(operation["description"]) > 20
    assert len(operation["tags"]) == 1


@each_operation
def test_json_comes_with_an_example_that_fits_its_schema(path, method, operation):
    for media in media_of(operation):
        validator = jsonschema.Draft202012Validator(
            {**media["schema"], "components": DOCUMENT["components"]},
            format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
        )
        assert list(validator.iter_errors(media["example"])) == []


@each_operation
def test_its_errors_are_problems_or_pages(path, method, operation):
    for status, answer in operation["responses"].items():
        if status >= "400" and not path.startswith("/health"):
            kinds = set(resolved(answer)["content"])
            is_page = path.startswith("/wish") and status != "413"
            assert kinds == ({"text/html"} if is_page else {"application/problem+json"})


@each_operation
def test_it_names_the_errors_that_its_parts_make_possible(path, method, operation):
    given = set(operation["responses"])
    if operation["security"]:
        assert {"401", "403", "429", "503"} <= given
    if "application/json" in operation.get("requestBody", {}).get("content", {}):
        assert {"400", "413", "415", "422"} <= given
    if "{" in path:
        assert "404" in given
    if any(one["name"] == "if-match" for one in operation.get("parameters", [])):
        assert "412" in given


@each_operation
def test_bodies_allow_no_unknown_members(path, method, operation):
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if schema is not None:
        name = schema["$ref"].rsplit("/", 1)[1]
        assert DOCUMENT["components"]["schemas"][name]["additionalProperties"] is False


# As many as a marketplace or a shop has, which come in one reply; and what is set as a whole.
WHOLE = (
    "/channels",
    "/channels/{channel_type}/carriers",
    "/channels/{channel_type}/carrier-aliases",
    "/integrations/{integration_id}/warehouses",
    "/orders/{order_id}/refund-reasons",
)


@each_operation
def test_lists_take_a_limit_and_a_cursor(path, method, operation):
    answer = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
    if "next_cursor" in answer.get("example", {}) and path not in (*WHOLE, "/events"):
        names = {one["name"] for one in operation["parameters"]}
        assert {"limit", "cursor"} <= names
