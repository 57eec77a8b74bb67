"""What linters of contracts ask for and readers want to know. Checked here: the linters need another language."""

import json
from typing import Any

import jsonschema
import pytest
from tests.api.contract import DOCUMENT

from channel_sync.domain.codes import CALLBACK_ERRORS, PROBLEM_CODES, STATUS_REASONS
from channel_sync.domain.events import EVENT_TYPES

SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = [operation for methods in DOCUMENT["paths"].values() for operation in methods.values()]
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=[one["operationId"] for one in OPERATIONS])


def name_of(reference: str) -> str:
    return reference.rsplit("/", 1)[1]


def inputs() -> list[str]:
    """The names of all schemas that requests are made of."""
    waiting = [json.dumps(one["requestBody"]) for one in OPERATIONS if "requestBody" in one]
    seen: set[str] = set()
    while waiting:
        for part in waiting.pop().split('"#/components/schemas/')[1:]:
            name = part.split('"')[0]
            if name not in seen:
                seen.add(name)
                waiting.append(json.dumps(SCHEMAS[name]))
    return sorted(seen)


def is_described(member: dict[str, Any]) -> bool:
    return "description" in member or ("$ref" in member and "description" in SCHEMAS[name_of(member["$ref"])])


def values_of(schema: str, member: str) -> list[str]:
    """What the contract says that a member may be, null left aside."""
    found = SCHEMAS[schema]["properties"][member]
    kinds = [kind for kind in found.get("anyOf", [found]) if kind.get("type") != "null"]
    values: list[str] = kinds[0]["enum"]
    return values


@each_operation
def test_an_operation_says_who_may_call_it_and_is_filed_under_a_tag_that_is_explained(operation):
    explained = {tag["name"] for tag in DOCUMENT["tags"] if len(tag["description"]) > 10}
    assert operation["security"] == [] or operation["security"][0]["bearer"]
    assert set(operation["tags"]) <= explained


def test_no_tag_is_explained_that_nothing_is_filed_under():
    used = {tag for operation in OPERATIONS for tag in operation["tags"]}
    assert [tag["name"] for tag in DOCUMENT["tags"] if tag["name"] not in used] == []


@each_operation
def test_every_parameter_is_described(operation):
    assert [one["name"] for one in operation.get("parameters", []) if len(one.get("description", "")) < 10] == []


@pytest.mark.parametrize("name", inputs())
def test_every_member_of_a_request_is_described(name):
    members = SCHEMAS[name].get("properties", {})
    assert [member for member, schema in members.items() if not is_described(schema)] == []


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema_is_described(name):
    assert SCHEMAS[name].get("description")


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["responses"]))
def test_the_example_of_a_problem_is_one(name):
    (media,) = DOCUMENT["components"]["responses"][name]["content"].values()
    validator = jsonschema.Draft202012Validator({**media["schema"], "components": DOCUMENT["components"]})
    assert list(validator.iter_errors(media["example"])) == []


@pytest.mark.parametrize(
    ("schema", "member", "values"),
    [
        ("Problem", "code", PROBLEM_CODES),
        ("IntegrationView", "status_reason", STATUS_REASONS),
        ("IntegrationStatusView", "status_reason", STATUS_REASONS),
        ("EventView", "type", EVENT_TYPES),
    ],
)
def test_a_closed_set_is_told_from_where_it_is_kept(schema, member, values):
    assert values_of(schema, member) == list(values)


@pytest.mark.parametrize("name", ["create_integration", "reauthorise_integration"])
def test_what_the_browser_brings_back_is_told_from_where_it_is_kept(name):
    (operation,) = (one for one in OPERATIONS if one["operationId"] == name)
    visit = operation["callbacks"]["returned"]["{$request.body#/return_url}"]["get"]
    values = {one["name"]: one["schema"].get("enum") for one in visit["parameters"]}
    assert values == {
        "integration_id": None,
        "result": ["connected", "failed"],
        "error": list(CALLBACK_ERRORS),
    }


def test_a_new_integration_always_has_the_page_to_open():
    (created,) = (one for one in OPERATIONS if one["operationId"] == "create_integration")
    schema = SCHEMAS[name_of(created["responses"]["201"]["content"]["application/json"]["schema"]["$ref"])]
    assert {"authorise_url", "expires_at"} <= set(schema["required"])
    assert not {"authorise_url", "expires_at"} & set(SCHEMAS["IntegrationView"]["properties"])


def test_the_document_names_its_licence():
    assert DOCUMENT["info"]["license"]["identifier"] == "Apache-2.0"
