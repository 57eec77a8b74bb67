"""Nothing in a query is passed over in silence, and what is wrong with it is named by its place."""

import pytest
from tests.api.contract import GUARDED, UNKNOWN_ATTEMPT, Operation, ids

pytestmark = pytest.mark.every_store

CANARY = "CANARY-a1b2c3d4e5f6"


@pytest.mark.parametrize("operation", GUARDED, ids=ids(GUARDED))
async def test_an_unknown_query_parameter_is_422_with_its_name(admin, operation: Operation):
    answer = await operation.call(admin, UNKNOWN_ATTEMPT, params={"no_such_filter": CANARY})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert answer.json()["errors"] == [
        {
            "parameter": "no_such_filter",
            "code": "unknown_parameter",
            "message": "There is no such query parameter here.",
        }
    ]
    assert CANARY not in answer.text


@pytest.mark.parametrize(
    ("place", "name"),
    [("/stock", "state_"), ("/events", "type"), ("/runs", "Status"), ("/orders", "updatedAfter")],
)
async def test_a_mistyped_filter_is_told(admin, place, name):
    answer = await admin.get(place, params={name: "rejected"})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, name)


@pytest.mark.parametrize(
    "name",
    [
        CANARY,
        "csk_" + "x" * 43,
        "3587dfc6a3b2c70947aebdf25f616f20",
        "eyJhbGciOiJSUzI1NiJ9.e30.AA",
        "a" * 31,
        "jane@example.com",
        "1 High Street",
        "<script>",
        "\u202eoops",
        "a\0b",
        "",
        "limit[]",
    ],
)
async def test_a_name_that_may_be_a_secret_or_an_attack_is_not_repeated(admin, name):
    answer = await admin.get("/runs", params={name: "1"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0] == {
        "parameter": "",
        "code": "unknown_parameter",
        "message": "There is no such query parameter here.",
    }
    assert len(name) < 2 or name not in answer.text


async def test_at_most_twenty_unknown_parameters_are_named(admin):
    answer = await admin.get("/runs", params={f"odd_{number}": "1" for number in range(60)})
    assert len(answer.json()["errors"]) == 20


async def test_a_parameter_that_stands_twice_is_422(admin):
    answer = await admin.get("/runs?kind=orders&kind=stock")
    error = {"parameter": "kind", "code": "repeated_parameter", "message": "Give this once."}
    assert (answer.status_code, answer.json()["errors"]) == (422, [error])


async def test_nul_in_a_parameter_is_422_and_named(admin):
    answer = await admin.get("/integrations?q=%00")
    assert answer.json()["errors"][0] == {
        "parameter": "q",
        "code": "invalid_character",
        "message": "This holds NUL.",
    }


@pytest.mark.parametrize(
    ("place", "parameter", "status"),
    [
        ("/runs?limit=0", "limit", 422),
        ("/runs?kind=odd", "kind", 422),
        ("/orders?updated_after=yesterday", "updated_after", 422),
        ("/orders?acknowledged=perhaps", "acknowledged", 422),
        ("/runs?cursor=odd", "cursor", 400),
        ("/events?types=odd", "types", 422),
        ("/events?after=evt_01kaqy7d4je3xba1b2c3d4e5f6", "after", 422),
        ("/events?wait_s=31", "wait_s", 422),
    ],
)
async def test_a_value_that_cannot_be_used_is_placed_in_the_query_and_not_in_a_body(
    admin, place, parameter, status
):
    answer = await admin.get(place)
    (error,) = answer.json()["errors"]
    assert answer.status_code == status
    assert error["parameter"] == parameter
    assert not {"pointer", "header"} & set(error)


async def test_a_header_that_cannot_be_used_is_placed_in_the_headers(admin):
    answer = await admin.post("/orders/erase", json={"ids": ["x"]}, headers={"Idempotency-Key": "x" * 256})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["header"].lower()) == (422, "idempotency-key")
    assert not {"pointer", "parameter"} & set(error)


async def test_the_pages_of_a_browser_may_carry_what_others_put_there(world):
    async with world.browser() as browser:
        answers = [await browser.get(f"{place}?utm=1") for place in ("/wish/callback", "/health/live", "/docs")]
    assert [answer.status_code for answer in answers] == [400, 200, 200]
